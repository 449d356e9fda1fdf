"""The shelves: every filter, sort and page of the products without a scan.

What a page costs, for n products on its shelf, at any depth, by name or by price, within a price
range or not: O(log n). With words it costs a few passes over the products that have the rarest of
them, in slices.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from catalog.columns import Columns, Facts
from catalog.domain import Filter, Mark, Sort, SortBy
from catalog.places import Found, behind, key_of, prices_of
from catalog.runs import Run, Sorted, Stretch, in_order
from catalog.searches import Search
from catalog.trees import Prices, Tree
from catalog.turns import Turns, Work, pieces
from catalog.words import Words

# As many are sorted faster than found in their tree.
FEW = 100
Place = tuple[str | None, bool]  # of a shelf: its category, None for all; of what is in stock


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

    def fill(self, by_name: Sequence[int], by_price: Sequence[int]) -> Work[None]:
        """The same rows in both orders, on an empty shelf."""
        yield from self.by_name.fill(by_name)
        yield from self.by_price.fill(by_price)

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
        # Nothing here knows its owner: it goes without the help of a garbage collection.
        self._shelves: defaultdict[Place, Shelf] = defaultdict(partial(Shelf, self.columns))
        self._words = Words(self.columns.names)
        self._turns = Turns()

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

    async def gather(self, products: Iterable[Facts]) -> None:
        """Many at once, of different ids: much faster than one by one. ``arrange`` comes last."""
        await self._turns.run(self._gathered(products))

    async def arrange(self) -> None:
        """Puts all that was gathered on the shelves, which were empty."""
        await self._turns.run(self._arranged())

    def counts(self) -> dict[str, int]:
        """The number of products in each category that has any."""
        return {
            category: len(shelf)
            for (category, in_stock), shelf in self._shelves.items()
            if category is not None and not in_stock
        }

    async def page(
        self, where: Filter, sort: Sort, *, limit: int, skip: int = 0, after: Mark | None = None
    ) -> Found:
        """Its rows stay what they are until somebody else has his turn."""
        if where.words is not None:
            shelf = self._shelves.get((where.category, False)) or _EMPTY
            search = Search(self.columns, self._words, where, shelf.tree(sort.by), sort)
            return await self._turns.run(search.page(limit=limit, skip=skip, after=after))
        shelf = self._shelves.get((where.category, where.in_stock)) or _EMPTY
        run = shelf.run(sort.by, prices_of(where))
        return _cut(run, sort, limit=limit, skip=skip, after=after)

    def _gathered(self, products: Iterable[Facts]) -> Work[None]:
        for number, facts in enumerate(products):
            self.columns.add(facts)
            if number % FEW == 0:
                yield

    def _arranged(self) -> Work[None]:
        columns = self.columns
        by_id = yield from in_order(range(len(columns)), columns.number)
        yield from self._by_id.fill(by_id)
        for row in range(len(columns)):
            self._words.add(row)
            if row % FEW == 0:
                yield
        # Sorting keeps the order of what is equal.
        rows = yield from in_order(by_id, columns.names.__getitem__)
        by_name = yield from self._dealt(rows)
        rows = yield from in_order(by_id, columns.kopecks.__getitem__)
        by_price = yield from self._dealt(rows)
        for place, rows in by_name.items():
            yield from self._shelves[place].fill(rows, by_price[place])

    def _dealt(self, rows: Sequence[int]) -> Work[dict[Place, "array[int]"]]:
        """The rows of each shelf, in the order in which they come."""
        dealt: defaultdict[Place, array[int]] = defaultdict(lambda: array("I"))
        categories, in_stock = self.columns.categories, self.columns.in_stock
        for piece in pieces(rows):
            for row in piece:
                category = categories[row]
                dealt[None, False].append(row)
                dealt[category, False].append(row)
                if in_stock[row]:
                    dealt[None, True].append(row)
                    dealt[category, True].append(row)
            yield
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


_EMPTY = Shelf(Columns())


def _cut(run: Run, sort: Sort, *, limit: int, skip: int, after: Mark | None) -> Found:
    size = len(run)
    if sort.descending:
        end = size - skip if after is None else run.rank(key_of(after))
        return Found(run.cut(max(0, end - limit), max(0, end))[::-1], size, end > limit)
    start = skip if after is None else run.rank(behind(after))
    return Found(run.cut(start, start + limit), size, start + limit < size)
