"""The shelves of the memory store: every filter, sort and page of the products without a scan.

What a page costs, for n products on its shelf, at any depth: by price and by name O(log n); by
name within a price range O(sqrt(n) log n). With words it costs O(m log m), where m products have
the rarest of the words, and never more than a pass over m and n without sorting.
"""

from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter

from sortedcontainers import SortedDict, SortedList

from catalog.domain import Filter, Mark, Page, Product, Sort, SortBy
from catalog.runs import Item, Key, PricedNames, Run, Sieve, Stretch
from store.money import to_kopecks

ABOVE_ALL = 1 << 62
# As many names are sorted faster than found in their blocks.
FEW = 200
# Above an eighth of its shelf, walking the shelf in order beats sorting what was found.
WALK_SHARE = 8
_LAST_CHARACTER = "\U0010ffff"


class Shelf:
    """Some of the products, by name and by price."""

    def __init__(self) -> None:
        self.by_name = SortedList()
        self.by_price = SortedList()
        self._priced_names = PricedNames()

    def __len__(self) -> int:
        return len(self.by_name)

    def add(self, item: Item) -> None:
        self.by_name.add(item.name_key)
        self.by_price.add(item.price_key)
        self._priced_names.add(item)

    def fill(self, items: Iterable[Item]) -> None:
        """Many at once, on an empty shelf."""
        self.by_name.update(item.name_key for item in items)
        self.by_price.update(key[-1].price_key for key in self.by_name)
        self._priced_names.fill(list(self.by_name))

    def remove(self, item: Item) -> None:
        self.by_name.remove(item.name_key)
        self.by_price.remove(item.price_key)
        self._priced_names.remove(item)

    def run(self, by: SortBy, prices: tuple[int, int] | None) -> Run:
        """The items that cost from ``prices[0]`` to below ``prices[1]`` kopecks, sorted ``by``."""
        if prices is None:
            return Stretch(self.by_name if by is SortBy.NAME else self.by_price, 0, len(self))
        low, high = prices
        cheaper = self.by_price.bisect_left((low,))
        up_to = self.by_price.bisect_left((high,))
        if by is SortBy.PRICE:
            return Stretch(self.by_price, cheaper, up_to)
        if up_to - cheaper <= FEW:
            few = SortedList(key[-1].name_key for key in self.by_price[cheaper:up_to])
            return Stretch(few, 0, len(few))
        return self._priced_names.within(low, high, total=up_to - cheaper)


class Words:
    """Which items have a word that begins with some letters."""

    def __init__(self) -> None:
        self._items = SortedDict()  # a set of items for each word

    def add(self, item: Item) -> None:
        for word in item.words:
            self._items.setdefault(word, set()).add(item)

    def remove(self, item: Item) -> None:
        for word in item.words:
            items = self._items[word]
            items.remove(item)
            if not items:
                del self._items[word]

    def find(self, prefixes: Iterable[str]) -> set[Item]:
        """The items of which every prefix begins a word."""
        having = {prefix: self._having(prefix) for prefix in prefixes}
        if not having:
            return set()
        rarest = min(having, key=lambda prefix: sum(map(len, having[prefix])))
        found: set[Item] = set().union(*having.pop(rarest))
        for prefix in having:
            found = {item for item in found if any(w.startswith(prefix) for w in item.words)}
        return found

    def _having(self, prefix: str) -> list[set[Item]]:
        words = self._items.irange(prefix, prefix + _LAST_CHARACTER)
        return [self._items[word] for word in words]


class Shelves:
    """All products: on one shelf together, on one for each category, and in-stock ones apart."""

    def __init__(self) -> None:
        self._shelves: defaultdict[tuple[str | None, bool], Shelf] = defaultdict(Shelf)
        self._words = Words()

    def __len__(self) -> int:
        return len(self._shelf(None))

    def add(self, item: Item) -> None:
        self._words.add(item)
        self._place(item, in_stock=False)
        if item.product.stock_count > 0:
            self._place(item, in_stock=True)

    def fill(self, items: Iterable[Item]) -> None:
        """Many at once, on empty shelves: much faster than one by one."""
        filled = defaultdict(list)
        for item in items:
            self._words.add(item)
            product = item.product
            for category in (None, product.category):
                filled[category, False].append(item)
                if product.stock_count > 0:
                    filled[category, True].append(item)
        for place, together in filled.items():
            self._shelves[place].fill(together)

    def remove(self, item: Item) -> None:
        self._words.remove(item)
        self._take(item, in_stock=False)
        if item.product.stock_count > 0:
            self._take(item, in_stock=True)

    def restock(self, item: Item, product: Product) -> None:
        """``product`` differs from the item's present one in nothing that the shelves sort by."""
        was, item.product = item.product.stock_count > 0, product
        if not was and product.stock_count > 0:
            self._place(item, in_stock=True)
        elif was and product.stock_count == 0:
            self._take(item, in_stock=True)

    def counts(self) -> dict[str, int]:
        """The number of products in each category that has any."""
        return {
            category: len(shelf)
            for (category, in_stock), shelf in self._shelves.items()
            if category is not None and not in_stock
        }

    def page(
        self, where: Filter, sort: Sort, *, limit: int, skip: int = 0, after: Mark | None = None
    ) -> Page:
        run = self._run(where, sort.by)
        if after is not None:
            keys = _beyond(run, after, count=limit + 1, descending=sort.descending)
            has_more = len(keys) > limit
        else:
            keys = _placed(run, skip, skip + limit, descending=sort.descending)
            has_more = skip + limit < len(run)
        return Page([key[-1].product for key in keys[:limit]], len(run), has_more)

    def _run(self, where: Filter, by: SortBy) -> Run:
        shelf = self._shelf(where.category, in_stock=where.in_stock)
        if where.words is None:
            return shelf.run(by, _prices(where))
        found = _sifted(self._words.find(where.words), where)
        if len(found) * WALK_SHARE > len(shelf):
            return Sieve(shelf.by_name if by is SortBy.NAME else shelf.by_price, found)
        key_of = attrgetter("name_key" if by is SortBy.NAME else "price_key")
        return Stretch(SortedList(map(key_of, found)), 0, len(found))

    def _shelf(self, category: str | None, *, in_stock: bool = False) -> Shelf:
        return self._shelves.get((category, in_stock)) or _EMPTY

    def _place(self, item: Item, *, in_stock: bool) -> None:
        for category in (None, item.product.category):
            self._shelves[category, in_stock].add(item)

    def _take(self, item: Item, *, in_stock: bool) -> None:
        for category in (None, item.product.category):
            shelf = self._shelves[category, in_stock]
            shelf.remove(item)
            if not shelf:
                del self._shelves[category, in_stock]


_EMPTY = Shelf()


def _prices(where: Filter) -> tuple[int, int] | None:
    """From how many kopecks to below how many; None for any price."""
    if where.min_price is None and where.max_price is None:
        return None
    low = 0 if where.min_price is None else to_kopecks(where.min_price)
    return low, ABOVE_ALL if where.max_price is None else to_kopecks(where.max_price) + 1


def _sifted(items: set[Item], where: Filter) -> set[Item]:
    """Those that pass the filters beside the words."""
    if where.category is not None:
        items = {item for item in items if item.product.category == where.category}
    if (prices := _prices(where)) is not None:
        low, high = prices
        items = {item for item in items if low <= item.price_key[0] < high}
    if where.in_stock:
        items = {item for item in items if item.product.stock_count > 0}
    return items


def _placed(run: Run, start: int, stop: int, *, descending: bool) -> list[Key]:
    """The keys from one place to another, counted from the end when ``descending``."""
    if not descending:
        return run.cut(start, stop)
    size = len(run)
    return run.cut(max(0, size - stop), max(0, size - start))[::-1]


def _beyond(run: Run, mark: Mark, *, count: int, descending: bool) -> list[Key]:
    """The next keys behind a mark, whether or not its product is still there."""
    first = mark.key if isinstance(mark.key, str) else to_kopecks(mark.key)
    if descending:
        return run.preceding((first, mark.product_id.int), count)
    return run.following((first, mark.product_id.int + 1), count)
