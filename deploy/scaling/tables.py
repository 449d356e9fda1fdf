"""The plan as tables in Markdown; the page quotes them to the letter."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from deploy.scaling.figures import ASSUMED, BUILT, PRODUCTS, ROUND_TRIPS, SERVICES, USERS
from deploy.scaling.plan import Plan, chain, memory, partition_bytes, start

MB = 1_000_000
PLANS = [Plan(users) for users in USERS]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """With two digits that say something, at least."""
    if value >= 10 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _by_users(rows: Mapping[str, Callable[[Plan], float]]) -> str:
    head = ["users at once", *map(number, USERS)]
    return table(
        head, ([name, *(number(ask(plan)) for plan in PLANS)] for name, ask in rows.items())
    )


def traffic() -> str:
    return _by_users(
        {
            "reads a second": lambda plan: plan.reads,
            "journeys a second": lambda plan: plan.journeys,
            "log-ins a second": lambda plan: plan.logins,
            "orders alive": lambda plan: plan.live_orders,
            "statements a second": lambda plan: plan.statements,
        }
    )


def cores() -> str:
    services = {name: partial(Plan.cores, service=name) for name in SERVICES}
    return _by_users(
        {
            **services,
            "of accounts: passwords": lambda plan: plan.password_cores,
            "gateway": lambda plan: plan.gateway_cores,
            "Cassandra, all nodes": lambda plan: plan.cassandra_cores,
        }
    )


def machines() -> str:
    services = {name: partial(Plan.instances, service=name) for name in SERVICES}
    return _by_users(
        {
            **services,
            "gateway workers": lambda plan: plan.gateway_workers,
            f"Cassandra nodes of {ASSUMED.node_cores} cores": lambda plan: plan.nodes,
        }
    )


def hot_products() -> str:
    rows: dict[str, Callable[[Plan], float]] = {}
    for when, share in (("a usual day", ASSUMED.hot_share), ("a rush", ASSUMED.rush_share)):
        rows |= {
            f"{when}, {share:.0%} of all orders": partial(Plan.orders_of_hottest, share=share),
            f"{when}: cells for the rate": partial(Plan.cells_by_rate, share=share),
            f"{when}: cells for the size, if it lasts": partial(Plan.cells_by_size, share=share),
        }
    return _by_users(rows)


def partitions() -> str:
    names = PLANS[0].partitions()
    head = ["rows (MB) of the largest partition", *map(number, USERS)]
    rows = [[f"`{name}`", *(_rows(plan.partitions()[name]) for plan in PLANS)] for name in names]
    return table(head, rows)


def _rows(count: float) -> str:
    return f"{number(round(count))} ({number(partition_bytes(count) / MB)})"


def distance() -> str:
    head = ["ms between the replicas", "batches a second", "orders a second, at most"]
    rows = [
        [f"{trip * 1e3:g}", number(chain(trip)), number(chain(trip) * BUILT.merged)]
        for trip in ROUND_TRIPS
    ]
    return table(head, rows)


def lists() -> str:
    head = ["products", "MB an instance", "seconds of a core at its start"]
    rows = [[number(count), number(memory(count) / MB), number(start(count))] for count in PRODUCTS]
    return table(head, rows)


TABLES = {
    "What comes in": traffic,
    "Cores": cores,
    "Machines": machines,
    "The product most in demand": hot_products,
    "The largest partitions": partitions,
    "How far replicas are from each other": distance,
    "Lists in memory": lists,
}
