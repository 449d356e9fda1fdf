"""The shelves: every filter, sort and page of the products without a scan.

What a page costs, for n products on its shelf, at any depth, by name or by price, within a price
range or not: O(log n). With words it costs O(m log m), where m products have the rarest of the
words, and never more than a pass over m and one over n without sorting.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.columns import Columns, Facts
from catalog.domain import Filter, Mark, Sort, SortBy
from catalog.runs import Run, Sieve, Sorted, Stretch, in_pieces
from catalog.trees import Key, Prices, Tree
from catalog.words import Words
from store.money import to_kopecks

ABOVE_ALL = 1 << 62
# As many are sorted faster than found in their tree.
FEW = 100
# Above this share of its shelf, walking the shelf in order beats sorting what was found.
WALK_SHARE = 32
Place = tuple[str | None, bool]  # of a shelf: its category, None for all; of what is in stock


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page; ``total`` counts all that the filter finds."""

    rows: Sequence[int]
    total: int
    has_more: bool


class Shelf:
    """Some of the products, by name and by price."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.by_name = Tree(columns.name_key, kopecks=columns.kopecks)
        self.by_price = Tree(columns.price_key)

    def __len__(self) -> int:
        return len(self.by_price)

    def add(self, row: int) -> None:
        self.by_name.add(row)
        self.by_price.add(row)

    def remove(self, row: int) -> None:
        self.by_name.remove(row)
        self.by_price.remove(row)

    def fill(self, by_name: Sequence[int], by_price: Sequence[int]) -> None:
        """The same rows in both orders, on an empty shelf."""
        self.by_name.fill(by_name)
        self.by_price.fill(by_price)

    def tree(self, by: SortBy) -> Tree:
        return self.by_name if by is SortBy.NAME else self.by_price

    def run(self, by: SortBy, prices: Prices | None) -> Run:
        if prices is None:
            return Stretch(self.tree(by), 0, len(self))
        cheaper, up_to = (self.by_price.rank((price,)) for price in prices)
        if by is SortBy.PRICE:
            return Stretch(self.by_price, cheaper, up_to - cheaper)
        if up_to - cheaper <= FEW:
            return Sorted(self.by_price.cut(cheaper, up_to), self._columns.name_key)
        return Stretch(self.by_name, 0, up_to - cheaper, prices)


class Shelves:
    """All products: on one shelf together, on one for each category, and in-stock ones apart."""

    def __init__(self) -> None:
        self.columns = Columns()
        self._by_id = Tree(self.columns.number)
        self._shelves: defaultdict[Place, Shelf] = defaultdict(self._new_shelf)
        self._words = Words(self.columns.names)

    def __len__(self) -> int:
        return len(self.columns)

    def row(self, number: int) -> int | None:
        """Of the product with the id ``number``."""
        place = self._by_id.rank(number)
        for row in self._by_id.cut(place, place + 1):
            return row if self.columns.number(row) == number else None
        return None

    def put(self, facts: Facts) -> None:
        """The product as it is now."""
        row = self.row(facts.number)
        if row is not None:
            known = self.columns.facts(row)
            if known[:4] == facts[:4]:
                self.restock(row, in_stock=facts.in_stock)
                return
            self._take(row)
        self._add(self.columns.add(facts))

    def remove(self, number: int) -> None:
        """Nothing happens where it is not there."""
        if (row := self.row(number)) is not None:
            self._take(row)

    def restock(self, row: int, *, in_stock: bool) -> bool:
        """Whether that was news."""
        if self.columns.in_stock[row] == in_stock:
            return False
        self.columns.in_stock[row] = in_stock
        for place in self._places(row, in_stock=True):
            if in_stock:
                self._shelves[place].add(row)
            else:
                self._clear(place, row)
        return True

    def fill(self, products: Iterable[Facts]) -> None:
        """Many at once, on empty shelves, of different ids: much faster than one by one."""
        columns = self.columns
        for facts in products:
            columns.add(facts)
        by_id = in_pieces(range(len(columns)), columns.number)
        self._by_id.fill(by_id)
        self._words.fill(len(columns))
        # Sorting keeps the order of what is equal.
        by_name = self._dealt(in_pieces(by_id, columns.names.__getitem__))
        by_price = self._dealt(in_pieces(by_id, columns.kopecks.__getitem__))
        for place, rows in by_name.items():
            self._shelves[place].fill(rows, by_price[place])

    def counts(self) -> dict[str, int]:
        """The number of products in each category that has any."""
        return {
            category: len(shelf)
            for (category, in_stock), shelf in self._shelves.items()
            if category is not None and not in_stock
        }

    def page(
        self, where: Filter, sort: Sort, *, limit: int, skip: int = 0, after: Mark | None = None
    ) -> Found:
        run = self._run(where, sort.by)
        size = len(run)
        if sort.descending:
            end = size - skip if after is None else run.rank(_key(after))
            return Found(run.cut(max(0, end - limit), max(0, end))[::-1], size, end > limit)
        start = skip if after is None else run.rank(_behind(after))
        return Found(run.cut(start, start + limit), size, start + limit < size)

    def _run(self, where: Filter, by: SortBy) -> Run:
        place = (where.category, where.in_stock)
        shelf = self._shelves.get(place) or _EMPTY
        if where.words is None:
            return shelf.run(by, _prices(where))
        found = self._sifted(self._words.find(where.words), where)
        if len(found) * WALK_SHARE > len(shelf):
            return Sieve(shelf.tree(by), found)
        columns = self.columns
        return Sorted(found, columns.name_key if by is SortBy.NAME else columns.price_key)

    def _sifted(self, rows: set[int], where: Filter) -> set[int]:
        """Those that pass the filters beside the words."""
        columns = self.columns
        if where.category is not None:
            rows = {row for row in rows if columns.categories[row] == where.category}
        if (prices := _prices(where)) is not None:
            low, high = prices
            rows = {row for row in rows if low <= columns.kopecks[row] < high}
        if where.in_stock:
            rows = {row for row in rows if columns.in_stock[row]}
        return rows

    def _dealt(self, rows: Iterable[int]) -> dict[Place, list[int]]:
        """The rows of each shelf, in the order in which they come."""
        dealt: defaultdict[Place, list[int]] = defaultdict(list)
        categories, in_stock = self.columns.categories, self.columns.in_stock
        for row in rows:
            category = categories[row]
            dealt[None, False].append(row)
            dealt[category, False].append(row)
            if in_stock[row]:
                dealt[None, True].append(row)
                dealt[category, True].append(row)
        return dealt

    def _add(self, row: int) -> None:
        self._by_id.add(row)
        self._words.add(row)
        for place in self._all_places(row):
            self._shelves[place].add(row)

    def _take(self, row: int) -> None:
        self._by_id.remove(row)
        self._words.remove(row)
        for place in self._all_places(row):
            self._clear(place, row)
        self.columns.remove(row)

    def _clear(self, place: Place, row: int) -> None:
        self._shelves[place].remove(row)
        if not self._shelves[place]:
            del self._shelves[place]

    def _places(self, row: int, *, in_stock: bool) -> list[Place]:
        return [(None, in_stock), (self.columns.categories[row], in_stock)]

    def _all_places(self, row: int) -> list[Place]:
        places = self._places(row, in_stock=False)
        return places + self._places(row, in_stock=True) if self.columns.in_stock[row] else places

    def _new_shelf(self) -> Shelf:
        return Shelf(self.columns)


_EMPTY = Shelf(Columns())


def _prices(where: Filter) -> Prices | None:
    """From how many kopecks to below how many; None for any price."""
    if where.min_price is None and where.max_price is None:
        return None
    low = 0 if where.min_price is None else to_kopecks(where.min_price)
    return low, ABOVE_ALL if where.max_price is None else to_kopecks(where.max_price) + 1


def _key(mark: Mark) -> tuple[bytes | int, int]:
    """Of the mark, whether or not its product is still there."""
    first = mark.key.encode() if isinstance(mark.key, str) else to_kopecks(mark.key)
    return first, mark.product_id.int


def _behind(mark: Mark) -> Key:
    """What comes next to the mark or later."""
    first, number = _key(mark)
    return first, number + 1
