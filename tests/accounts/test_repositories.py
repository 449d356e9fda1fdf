"""What every store of accounts does; each new one joins the fixture ``repository``."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.domain import OrderRecord, OrderStatus, User, UsernameTaken
from accounts.repositories import AccountRepository, MemoryAccounts
from tests.accounts.conftest import NOW, ON_CASSANDRA, applicant, update

CANCELLED = OrderStatus.CANCELLED
DELIVERED = OrderStatus.DELIVERED


@pytest.fixture(params=["in_memory", "in_journal", "reopened", ON_CASSANDRA])
def repository(request: pytest.FixtureRequest) -> AccountRepository:
    found: AccountRepository = request.getfixturevalue(request.param)
    return found


async def add(repository: AccountRepository, username: str = "alice") -> User:
    await repository.claim(username)
    return await repository.confirm(applicant(username), "a hash", now=NOW)


async def spent(repository: AccountRepository, username: str = "alice") -> Decimal:
    user = await repository.get(username)
    assert user is not None
    return user.total_spent


async def test_a_confirmed_user_is_found(repository: AccountRepository) -> None:
    user = await add(repository)

    assert user == User(
        username="alice",
        full_name="Alice Liddell",
        phone="+7 (999) 000-00-00",
        id="00000001",
        created_at=NOW,
        is_admin=False,
        password_hash="a hash",
        total_spent=Decimal(0),
    )
    assert await repository.get("alice") == user


async def test_ids_ascend_without_gaps(repository: AccountRepository) -> None:
    first = await add(repository, "alice")
    await repository.claim("nobody")
    await repository.abandon("nobody")
    second = await add(repository, "bob")

    assert [first.id, second.id] == ["00000001", "00000002"]


@pytest.mark.parametrize("again", ["alice", "ALICE", "aLice"])
async def test_a_name_is_taken_in_any_case(repository: AccountRepository, again: str) -> None:
    await add(repository, "alice")

    with pytest.raises(UsernameTaken):
        await repository.claim(again)


async def test_a_claimed_name_is_taken_already(repository: AccountRepository) -> None:
    await repository.claim("alice")

    with pytest.raises(UsernameTaken):
        await repository.claim("Alice")
    assert await repository.get("alice") is None


async def test_an_abandoned_name_is_free(repository: AccountRepository) -> None:
    await repository.claim("alice")
    await repository.abandon("alice")

    assert (await add(repository, "Alice")).username == "Alice"


async def test_one_of_many_claims_wins(repository: AccountRepository) -> None:
    names = ["alice", "ALICE", "Alice"] * 10

    claims = await asyncio.gather(
        *(repository.claim(name) for name in names), return_exceptions=True
    )

    assert claims.count(None) == 1
    assert sum(isinstance(claim, UsernameTaken) for claim in claims) == len(names) - 1


async def test_people_type_names_in_any_case_tokens_do_not(repository: AccountRepository) -> None:
    user = await add(repository, "Alice")

    assert await repository.find("aLICE") == user
    assert await repository.get("alice") is None
    assert await repository.find("bob") is None


async def test_what_is_not_changed_stays(repository: AccountRepository) -> None:
    before = await add(repository)

    after = await repository.change("alice", full_name="Alice P. L.", phone=None)

    assert after is not None
    assert (after.full_name, after.phone) == ("Alice P. L.", before.phone)
    assert await repository.get("alice") == after


async def test_a_stranger_cannot_be_changed(repository: AccountRepository) -> None:
    assert await repository.change("nobody", full_name="No", phone="00000") is None


async def test_people_are_listed_by_id(repository: AccountRepository) -> None:
    for name in ("carol", "alice", "bob"):
        await add(repository, name)

    first = await repository.page(limit=2)
    rest = await repository.page(after=first[-1].id, limit=2)

    assert [user.username for user in (*first, *rest)] == ["carol", "alice", "bob"]


async def test_an_order_counts_once(repository: AccountRepository) -> None:
    await add(repository)
    order = uuid4()

    applied = [
        await repository.record(update(version, order_id=order), now=NOW)
        for version in (1, 1, 2, 1, 3)
    ]

    assert applied == [True, False, True, False, True]
    assert await spent(repository) == Decimal(100)


async def test_what_is_remembered_of_orders_is_asked_for_together(
    repository: AccountRepository,
) -> None:
    await add(repository)
    mine, hers = uuid4(), uuid4()
    await repository.record(update(2, order_id=mine), now=NOW)
    await repository.record(update(3, CANCELLED, order_id=hers, user_id="bob"), now=NOW)

    found = await repository.orders([mine, uuid4(), hers])

    assert found == {mine: OrderRecord(2, Decimal(100)), hers: OrderRecord(3, Decimal(0))}


async def test_a_cancelled_order_is_taken_off_once(repository: AccountRepository) -> None:
    await add(repository)
    cancelled = uuid4()
    await repository.record(update(total="30.50"), now=NOW)
    await repository.record(update(1, order_id=cancelled), now=NOW)

    for _ in range(3):
        await repository.record(update(2, CANCELLED, order_id=cancelled), now=NOW)

    assert await spent(repository) == Decimal("30.50")


async def test_a_step_overtaken_by_a_newer_one_is_dropped(repository: AccountRepository) -> None:
    await add(repository)
    order = uuid4()
    await repository.record(update(3, CANCELLED, order_id=order), now=NOW)

    assert not await repository.record(update(1, order_id=order), now=NOW)

    assert await spent(repository) == 0
    assert [step.version for step in await repository.updates("alice")] == [3]


async def test_the_last_hundred_updates_are_kept(repository: AccountRepository) -> None:
    await add(repository)
    news = [update() for _ in range(130)]

    for step in news:
        await repository.record(step, now=NOW)

    assert list(await repository.updates("alice")) == news[-100:]


async def test_news_of_strangers_wait_for_them(repository: AccountRepository) -> None:
    step = update(total="12.00")
    assert await repository.record(step, now=NOW)

    user = await add(repository)
    await repository.record(update(total="1.00"), now=NOW)

    assert user.total_spent == Decimal(12)
    assert await spent(repository) == Decimal(13)
    assert (await repository.updates("alice"))[0] == step


async def test_people_who_differ_by_case_do_not_share_news(repository: AccountRepository) -> None:
    await add(repository, "alice")

    await repository.record(update(user_id="ALICE"), now=NOW)

    assert await spent(repository, "alice") == 0
    assert await repository.updates("alice") == []


async def test_a_change_keeps_the_total(repository: AccountRepository) -> None:
    await add(repository)
    await repository.record(update(), now=NOW)

    await repository.change("alice", full_name=None, phone="00000")

    assert await spent(repository) == Decimal(100)


async def test_memory_keeps_the_strangers_heard_of_last() -> None:
    repository = MemoryAccounts(strangers=2)

    for name in ("a", "b", "a", "c"):
        await repository.record(update(user_id=name), now=NOW)

    assert [len(await repository.updates(name)) for name in ("a", "b", "c")] == [2, 0, 1]


async def test_memory_forgets_ended_orders_after_a_week_but_not_their_totals() -> None:
    repository = MemoryAccounts(forget_after=timedelta(days=7))
    await add(repository)
    ended, running = uuid4(), uuid4()
    await repository.record(update(5, DELIVERED, order_id=ended), now=NOW)
    await repository.record(update(1, order_id=running), now=NOW)

    late = NOW + timedelta(days=6)
    assert not await repository.record(update(5, DELIVERED, order_id=ended), now=late)
    await repository.record(update(user_id="bob"), now=NOW + timedelta(days=8))

    assert set(repository._orders) >= {running}
    assert ended not in repository._orders
    assert await spent(repository) == Decimal(200)


async def test_memory_remembers_so_many_ended_orders_and_every_running_one() -> None:
    repository = MemoryAccounts(ended_orders=10)

    for _ in range(50):
        await repository.record(update(5, DELIVERED), now=NOW)
        await repository.record(update(1), now=NOW)

    assert len(repository._ended) == 10
    assert len(repository._orders) == 60
