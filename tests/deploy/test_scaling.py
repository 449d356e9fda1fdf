"""The plan for many users: its arithmetic, and that its page says what it says."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.scaling.figures import ASSUMED, MEASURED, SERVICES, USERS, Read
from deploy.scaling.plan import Plan, chain, memory
from deploy.scaling.tables import TABLES, number

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scaling.md"

ONE_READ = replace(
    MEASURED,
    reads={"product": Read("catalog", 0.001, 3)},
    journey={**dict.fromkeys(SERVICES, 0.005), "gateway": 0.002},
    journey_in_memory=dict.fromkeys(SERVICES, 0.003),
    journey_statements=4.0,
    journey_cassandra=0.008,
    password=0.5,
)
PLAIN = replace(
    ASSUMED, think_seconds=10, journey_every=100, login_every=1000, mix={"product": 1.0}, busy=0.5
)
PLAN = Plan(1000, ONE_READ, assumed=PLAIN)


@pytest.mark.parametrize("title", TABLES)
def test_the_page_quotes_each_table_to_the_letter(title: str) -> None:
    page = PAGE.read_text()

    assert f"## {title}\n" in page
    assert f"\n\n{TABLES[title]()}\n\n" in page


def test_what_users_do_adds_up() -> None:
    assert sum(ASSUMED.mix.values()) == pytest.approx(1)
    assert ASSUMED.mix.keys() == MEASURED.reads.keys()


def test_users_who_think_ask_at_their_own_pace() -> None:
    assert (PLAN.reads, PLAN.journeys, PLAN.logins) == (100, 10, 1)


def test_a_statement_costs_a_service_what_a_journey_costs_more_than_in_memory() -> None:
    assert PLAN.statement == pytest.approx((4 * 0.005 - 4 * 0.003) / 4)


def test_a_service_pays_for_its_reads_their_statements_and_its_part_of_journeys() -> None:
    assert PLAN.cores("catalog") == pytest.approx(100 * (0.001 + 3 * PLAN.statement) + 10 * 0.005)
    assert PLAN.cores("orders") == pytest.approx(10 * 0.005)


def test_accounts_pays_for_the_passwords() -> None:
    assert PLAN.cores("accounts") == pytest.approx(10 * 0.005 + 1 * 0.5)


def test_instances_are_half_busy_and_never_alone() -> None:
    assert PLAN.cores("catalog") == pytest.approx(0.75)
    assert PLAN.instances("catalog") == 2
    assert replace(PLAN, users=10_000).instances("catalog") == 15
    assert replace(PLAN, users=10).instances("catalog") == PLAIN.least_instances


def test_every_replica_does_the_work_of_the_one_node() -> None:
    statements = 100 * 3 + 10 * 4

    assert PLAN.statements == pytest.approx(statements)
    assert PLAN.cassandra_cores == pytest.approx(statements * 0.002 * PLAIN.replicas)


def test_there_are_never_fewer_nodes_than_replicas() -> None:
    assert PLAN.nodes == PLAIN.replicas
    assert replace(PLAN, users=100_000).nodes == 26


def test_a_product_that_sells_faster_than_its_chain_needs_more_cells() -> None:
    slow = replace(PLAN, measured=replace(ONE_READ, merged_orders=4.0))

    assert slow.orders_of_hottest(0.9) == pytest.approx(9)
    assert slow.cells_by_rate(0.9) == 5
    assert PLAN.cells_by_rate(0.9) == 1


def test_a_partition_grows_by_what_is_kept() -> None:
    small = replace(PLAIN, row_bytes=100, partition_bytes=1_000_000)

    rows = 10 * 0.5 * PLAN.built.reservation_kept

    assert replace(PLAN, assumed=small).cells_by_size(0.5) == -(-rows * 100 // 1_000_000)


def test_a_chain_is_as_fast_as_its_round_trips() -> None:
    assert chain(0.05) == pytest.approx(10)


def test_a_product_more_is_so_many_bytes_more() -> None:
    assert memory(1_001_000) - memory(1_000) == pytest.approx(1_000_000 * MEASURED.product_bytes)


@pytest.mark.parametrize(
    ("value", "words"), [(0.0213, "0.021"), (1.94, "1.9"), (3.0, "3"), (1234.5, "1,234")]
)
def test_numbers_have_no_more_digits_than_they_are_worth(value: float, words: str) -> None:
    assert number(value) == words


def test_a_plan_grows_with_its_users() -> None:
    plans = [Plan(users) for users in USERS]

    for service in SERVICES:
        instances = [plan.instances(service) for plan in plans]
        assert instances == sorted(instances)
