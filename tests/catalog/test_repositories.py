"""What every store of the catalog promises; the fixture says which ones are tried."""

import asyncio
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from catalog.domain import (
    CategoryCount,
    Filter,
    OutOfStock,
    Product,
    ProductUnavailable,
    Reservation,
    ReservationClosed,
    ReservationMismatch,
    Sort,
    SortBy,
    State,
)
from catalog.repositories import CatalogRepository
from tests.catalog.conftest import ON_CASSANDRA
from tests.catalog.examples import NOON, ORDER, product, seconds


@pytest.fixture(params=["in_memory", "in_journal", "reopened", ON_CASSANDRA])
def repository(request: pytest.FixtureRequest) -> CatalogRepository:
    found: CatalogRepository = request.getfixturevalue(request.param)
    return found


async def stocked(repository: CatalogRepository, count: int = 10) -> Product:
    added = product(stock_count=count)
    await repository.add(added)
    return added


async def available(repository: CatalogRepository, product_id: UUID) -> int:
    """What the shelf shows, which has to be what the books say."""
    found, books = await repository.product(product_id), await repository.stock(product_id)
    assert found is not None
    assert books is not None
    assert books.is_balanced
    assert found.stock_count == books.available
    return found.stock_count


async def hold(repository: CatalogRepository, *wanted: Product, quantity: int = 1) -> Reservation:
    quantities = {item.product_id: quantity for item in wanted}
    return await repository.reserve(ORDER, "alice", quantities, now=NOON)


# Products


async def test_a_product_that_was_added_is_found(repository: CatalogRepository) -> None:
    milk = product(description="Свежее", manufacturer="Домик")

    assert await repository.add(milk)

    assert await repository.product(milk.product_id) == milk


async def test_an_id_is_added_once(repository: CatalogRepository) -> None:
    milk = await stocked(repository)

    assert not await repository.add(product(product_id=milk.product_id, name="Кефир"))

    assert await repository.product(milk.product_id) == milk


async def test_an_update_leaves_the_rest_as_it_is(repository: CatalogRepository) -> None:
    milk = product(description="Свежее", manufacturer="Домик")
    await repository.add(milk)

    await repository.update(milk.product_id, {"price": Decimal("1.50"), "description": None})

    found = await repository.product(milk.product_id)
    assert found is not None
    assert (found.price, found.description) == (Decimal("1.50"), None)
    assert (found.name, found.manufacturer, found.stock_count) == ("Молоко", "Домик", 10)


async def test_there_is_nothing_to_change_without_a_product(repository: CatalogRepository) -> None:
    assert await repository.product(uuid4()) is None
    assert await repository.update(uuid4(), {"name": "Кефир"}) is None
    assert not await repository.delete(uuid4())
    assert await repository.stock(uuid4()) is None


async def test_stock_that_is_set_is_an_adjustment(repository: CatalogRepository) -> None:
    milk = await stocked(repository)
    await hold(repository, milk, quantity=4)

    changed = await repository.update(milk.product_id, {"stock_count": 50})

    books = await repository.stock(milk.product_id)
    assert changed is not None
    assert books is not None
    assert changed.stock_count == await available(repository, milk.product_id) == 50
    assert (books.initial, books.adjustments, books.reserved) == (10, 44, 4)


async def test_other_changes_do_not_touch_the_stock(repository: CatalogRepository) -> None:
    milk = await stocked(repository)
    await hold(repository, milk, quantity=4)

    await repository.update(milk.product_id, {"name": "Кефир", "category": "Напитки"})

    assert await available(repository, milk.product_id) == 6


async def test_a_deleted_product_is_gone_from_everywhere(repository: CatalogRepository) -> None:
    milk = await stocked(repository)

    assert await repository.delete(milk.product_id)

    assert await repository.product(milk.product_id) is None
    assert (await repository.page(Filter(), Sort(), limit=10)).total == 0
    assert (await repository.page(Filter(words=("молоко",)), Sort(), limit=10)).total == 0
    assert list(await repository.categories()) == []
    assert repository.counts() == {}


async def test_categories_count_what_is_in_them(repository: CatalogRepository) -> None:
    for category in ("Сыры", "Хлеб", "Сыры"):
        await repository.add(product(category=category))
    moved = product(category="Хлеб")
    await repository.add(moved)
    await repository.update(moved.product_id, {"category": "Рыба"})

    categories = await repository.categories()

    assert list(categories) == [
        CategoryCount("Рыба", 1),
        CategoryCount("Сыры", 2),
        CategoryCount("Хлеб", 1),
    ]
    assert repository.counts() == {"Рыба": 1, "Сыры": 2, "Хлеб": 1}


# Pages


async def test_names_are_in_code_point_order(repository: CatalogRepository) -> None:
    names = ["яблоко", "Ёлка", "apple", "Яблоко", "Zebra", "ёлка", "\U0001f34e", "ﬁ"]
    for name in names:
        await repository.add(product(name=name))

    page = await repository.page(Filter(), Sort(), limit=10)

    assert [item.name for item in page.items] == sorted(names)


@pytest.mark.parametrize("by", SortBy)
@pytest.mark.parametrize("descending", [False, True])
async def test_a_walk_by_cursor_meets_each_product_once(
    repository: CatalogRepository, by: SortBy, descending: bool
) -> None:
    for number in range(23):
        await repository.add(product(name=f"Сыр {number % 4}", price=Decimal(1 + number % 3)))
    sort, met, after = Sort(by, descending), [], None

    while True:
        page = await repository.page(Filter(), sort, limit=5, after=after)
        met += page.items
        if not page.has_more:
            break
        after = sort.mark(page.items[-1])

    keys = [sort.mark(item).key for item in met]
    assert len({item.product_id for item in met}) == page.total == 23
    assert keys == sorted(keys, reverse=descending)  # type: ignore[type-var]


@pytest.mark.parametrize("by", SortBy)
@pytest.mark.parametrize("descending", [False, True])
async def test_skipping_gives_the_same_rows_as_walking(
    repository: CatalogRepository, by: SortBy, descending: bool
) -> None:
    for number in range(12):
        await repository.add(product(name=f"Сыр {number % 4}", price=Decimal(1 + number % 3)))
    sort = Sort(by, descending)
    everything = (await repository.page(Filter(), sort, limit=100)).items

    page = await repository.page(Filter(), sort, limit=5, skip=4)
    next_page = await repository.page(Filter(), sort, limit=5, after=sort.mark(page.items[-1]))

    assert list(page.items) == list(everything[4:9])
    assert list(next_page.items) == list(everything[9:])
    assert (page.has_more, next_page.has_more) == (True, False)


async def test_a_page_past_the_end_is_empty_and_the_total_true(
    repository: CatalogRepository,
) -> None:
    await stocked(repository)

    page = await repository.page(Filter(), Sort(), limit=5, skip=100)

    assert (list(page.items), page.total, page.has_more) == ([], 1, False)


async def test_a_walk_goes_on_when_its_last_product_is_deleted(
    repository: CatalogRepository,
) -> None:
    for name in "абвг":
        await repository.add(product(name=name))
    page = await repository.page(Filter(), Sort(), limit=2)
    await repository.delete(page.items[-1].product_id)

    rest = await repository.page(Filter(), Sort(), limit=2, after=Sort().mark(page.items[-1]))

    assert [item.name for item in rest.items] == ["в", "г"]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        (Filter(), "абвг"),
        (Filter(category="Сыры"), "абв"),
        (Filter(min_price=Decimal(2)), "бвг"),
        (Filter(max_price=Decimal(2)), "аб"),
        (Filter(min_price=Decimal(2), max_price=Decimal(2)), "б"),
        (Filter(in_stock=True), "абг"),
        (Filter(category="Сыры", min_price=Decimal(2), in_stock=True), "б"),
        (Filter(category="нет такой"), ""),
        (Filter(words=()), ""),
    ],
)
async def test_filters_leave_out_what_does_not_fit(
    repository: CatalogRepository, where: Filter, names: str
) -> None:
    for price, (name, category, stock) in enumerate(
        [("а", "Сыры", 1), ("б", "Сыры", 1), ("в", "Сыры", 0), ("г", "Хлеб", 1)], start=1
    ):
        await repository.add(
            product(name=name, category=category, stock_count=stock, price=Decimal(price))
        )

    page = await repository.page(where, Sort(), limit=10)

    assert ("".join(item.name for item in page.items), page.total) == (names, len(names))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("мол",), ["Молоко топлёное", "Хлеб молочный"]),
        (("топ", "молок"), ["Молоко топлёное"]),
        (("олоко",), []),
        (("milk",), ["Milk"]),
    ],
)
async def test_words_are_found_by_their_beginning(
    repository: CatalogRepository, words: tuple[str, ...], found: list[str]
) -> None:
    for name in ("Молоко топлёное", "Хлеб молочный", "Milk"):
        await repository.add(product(name=name))

    page = await repository.page(Filter(words=words), Sort(), limit=10)

    assert [item.name for item in page.items] == found


async def test_what_sells_out_leaves_the_in_stock_lists_until_it_is_back(
    repository: CatalogRepository,
) -> None:
    milk = await stocked(repository, 1)
    await hold(repository, milk)
    sold_out = await repository.page(Filter(in_stock=True), Sort(), limit=10)

    await repository.settle(ORDER, State.RELEASED, now=NOON)

    back = await repository.page(Filter(in_stock=True), Sort(), limit=10)
    assert (sold_out.total, back.total) == (0, 1)


# Reservations


async def test_a_hold_takes_from_the_shelf_and_tells_name_and_price(
    repository: CatalogRepository,
) -> None:
    milk = await stocked(repository)

    held = await hold(repository, milk, quantity=3)

    assert (held.state, held.user_id, held.created_at) == (State.HELD, "alice", NOON)
    assert [(line.name, line.price, line.quantity) for line in held.lines] == [
        ("Молоко", Decimal("89.90"), 3)
    ]
    assert await available(repository, milk.product_id) == 7


async def test_the_same_hold_again_takes_nothing_more(repository: CatalogRepository) -> None:
    milk = await stocked(repository)
    first = await hold(repository, milk, quantity=3)
    await repository.update(milk.product_id, {"price": Decimal(1)})

    again = await hold(repository, milk, quantity=3)

    assert again == first
    assert await available(repository, milk.product_id) == 7


async def test_the_same_id_with_other_items_is_refused(repository: CatalogRepository) -> None:
    milk = await stocked(repository)
    await hold(repository, milk, quantity=3)

    with pytest.raises(ReservationMismatch):
        await hold(repository, milk, quantity=4)

    assert await available(repository, milk.product_id) == 7


async def test_too_little_of_one_line_holds_nothing_at_all(repository: CatalogRepository) -> None:
    plenty, scarce = await stocked(repository, 10), await stocked(repository, 2)

    with pytest.raises(OutOfStock) as refusal:
        await hold(repository, plenty, scarce, quantity=3)

    assert refusal.value.facts == {"available": {str(scarce.product_id): 2}}
    assert await available(repository, plenty.product_id) == 10
    assert await repository.settle(ORDER, State.SOLD, now=NOON) is None


async def test_a_refused_hold_may_be_tried_again(repository: CatalogRepository) -> None:
    milk = await stocked(repository, 0)
    with pytest.raises(OutOfStock):
        await hold(repository, milk)
    await repository.update(milk.product_id, {"stock_count": 1})

    assert (await hold(repository, milk)).state is State.HELD


async def test_a_product_that_is_gone_cannot_be_held(repository: CatalogRepository) -> None:
    milk, gone = await stocked(repository), product()

    with pytest.raises(ProductUnavailable) as refusal:
        await hold(repository, milk, gone)

    assert refusal.value.facts == {"products": [str(gone.product_id)]}
    assert await available(repository, milk.product_id) == 10


@pytest.mark.parametrize(
    ("moves", "left", "reserved", "sold"),
    [
        ([State.SOLD], 7, 0, 3),
        ([State.SOLD, State.SOLD], 7, 0, 3),
        ([State.RELEASED], 10, 0, 0),
        ([State.RELEASED, State.RELEASED], 10, 0, 0),
        ([State.RELEASED, State.SOLD], 10, 0, 0),
        ([State.RETURNED], 10, 0, 0),
        ([State.RETURNED, State.SOLD], 10, 0, 0),
        ([State.SOLD, State.RETURNED, State.RETURNED], 10, 0, 0),
        ([State.SOLD, State.RELEASED], 7, 0, 3),
    ],
)
async def test_units_move_once_whatever_the_order_of_the_calls(
    repository: CatalogRepository, moves: list[State], left: int, reserved: int, sold: int
) -> None:
    milk = await stocked(repository)
    await hold(repository, milk, quantity=3)

    for state in moves:
        await repository.settle(ORDER, state, now=NOON)

    books = await repository.stock(milk.product_id)
    assert books is not None
    assert (books.reserved, books.sold) == (reserved, sold)
    assert await available(repository, milk.product_id) == left


@pytest.mark.parametrize("state", [State.RELEASED, State.RETURNED])
async def test_an_ended_order_is_never_held_again(
    repository: CatalogRepository, state: State
) -> None:
    milk = await stocked(repository)
    await hold(repository, milk)
    await repository.settle(ORDER, state, now=NOON)

    with pytest.raises(ReservationClosed):
        await hold(repository, milk)

    assert await available(repository, milk.product_id) == 10


@pytest.mark.parametrize("state", [State.RELEASED, State.RETURNED])
async def test_an_id_that_ended_before_it_was_known_is_never_held(
    repository: CatalogRepository, state: State
) -> None:
    milk = await stocked(repository)
    assert await repository.settle(ORDER, state, now=NOON) is None

    with pytest.raises(ReservationClosed):
        await hold(repository, milk)

    assert await available(repository, milk.product_id) == 10


async def test_a_sale_of_an_unknown_order_changes_nothing(repository: CatalogRepository) -> None:
    milk = await stocked(repository)

    assert await repository.settle(ORDER, State.SOLD, now=NOON) is None

    assert (await hold(repository, milk)).state is State.HELD


async def test_a_hold_outlives_its_product_and_its_return_is_withdrawn(
    repository: CatalogRepository,
) -> None:
    milk = await stocked(repository)
    await hold(repository, milk, quantity=3)
    await repository.delete(milk.product_id)

    await repository.settle(ORDER, State.SOLD, now=NOON)
    returned = await repository.settle(ORDER, State.RETURNED, now=NOON)

    books = await repository.stock(milk.product_id)
    assert returned is not None
    assert books is not None
    assert returned.state is State.RETURNED
    assert (books.withdrawn, books.reserved, books.sold) == (10, 0, 0)
    assert books.is_balanced


async def test_the_last_unit_is_held_once(repository: CatalogRepository) -> None:
    milk = await stocked(repository, 1)
    buyers = [
        repository.reserve(uuid4(), f"buyer{n}", {milk.product_id: 1}, now=NOON) for n in range(20)
    ]

    answers = await asyncio.gather(*buyers, return_exceptions=True)

    assert sum(isinstance(answer, Reservation) for answer in answers) == 1
    assert sum(isinstance(answer, OutOfStock) for answer in answers) == 19
    assert await available(repository, milk.product_id) == 0


async def test_reservations_are_listed_by_state_and_age(repository: CatalogRepository) -> None:
    milk = await stocked(repository)
    orders = [uuid4() for _ in range(4)]
    for age, order in enumerate(orders):
        await repository.reserve(order, "alice", {milk.product_id: 1}, now=seconds(age))
    await repository.settle(orders[1], State.SOLD, now=seconds(10))

    held = await repository.reservations(State.HELD, until=seconds(2), limit=10)
    sold = await repository.reservations(State.SOLD, until=seconds(20), limit=10)

    assert [found.order_id for found in held] == [orders[0], orders[2]]
    assert [found.order_id for found in sold] == [orders[1]]


async def test_a_walk_over_reservations_goes_on_while_they_are_settled(
    repository: CatalogRepository,
) -> None:
    milk = await stocked(repository)
    for _ in range(7):
        await repository.reserve(uuid4(), "alice", {milk.product_id: 1}, now=NOON)
    met, after = [], None

    while page := await repository.reservations(State.HELD, until=NOON, limit=3, after=after):
        met += [found.order_id for found in page]
        after = page[-1].updated_at, page[-1].order_id
        await repository.settle(page[-1].order_id, State.RELEASED, now=seconds(1))

    assert len(met) == len(set(met)) == 7


async def test_the_store_answers(repository: CatalogRepository) -> None:
    assert await repository.ping()
    assert repository.unready() is None


# Books


async def test_all_books_that_moved_are_read_page_by_page(repository: CatalogRepository) -> None:
    milk = [await stocked(repository) for _ in range(5)]
    quantities = {each.product_id: 2 for each in milk}
    await repository.reserve(ORDER, "alice", quantities, now=NOON)
    await repository.delete(milk[0].product_id)

    pages, last = [], None
    while not pages or last is not None:
        lines, last = await repository.books(limit=2, after=last)
        pages.append(lines)

    found = {line.product_id: line for page in pages for line in page}
    assert [len(page) for page in pages] == [2, 2, 1]
    assert found == {each: await repository.stock(each) for each in quantities}
    assert {each for each, line in found.items() if not line.is_open} == {milk[0].product_id}
