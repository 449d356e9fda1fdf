"""What is each service's own on its dashboard: its store, its queues, its tasks."""

from collections.abc import Callable, Mapping, Sequence

from deploy.grafana.panels import Limits, Panel, Query, graph

RATE = "$__rate_interval"


def rows_of(service: str) -> Mapping[str, Sequence[Panel]]:
    """Panels by the title of their row."""
    return ROWS[service]()


def _catalog() -> Mapping[str, Sequence[Panel]]:
    return {
        "Products and reservations": [
            graph(
                "Store serves",
                "1 while the catalogue's store answers, by its kind: memory, or Cassandra.",
                Query("catalog_store_up", "{{store}} {{instance}}"),
                unit="short",
                limits=Limits(look=1, bad=1),
            ),
            graph(
                "Products",
                "How many there are.",
                Query("products_total", "{{instance}}"),
                unit="short",
            ),
            graph(
                "Unknown reservations",
                "Calls within 15 minutes about reservations that the catalog does not know. "
                "Anything but 0: orders and catalog do not agree.",
                Query("sum by (call) (increase(reservations_unknown_total[15m]))", "{{call}}"),
                unit="short",
                limits=Limits(look=0.5, bad=1),
            ),
        ],
        "Cassandra (empty for the embedded store)": [
            graph(
                "Queries a second",
                "By the name of the statement in catalog/cassandra/statements.py; the ten busiest.",
                Query(
                    f"topk(10, sum by (operation) (rate(cassandra_queries_total[{RATE}])))",
                    "{{operation}}",
                ),
                unit="reqps",
            ),
            graph(
                "How long queries take",
                "99 of 100 are faster; the ten slowest statements. After 0.95 s a query is given up.",
                Query(
                    "topk(10, histogram_quantile(0.99, sum by (operation, le) "
                    f"(rate(cassandra_query_duration_seconds_bucket[{RATE}]))) >= 0)",
                    "{{operation}}",
                ),
                unit="s",
                limits=Limits(look=0.25, bad=0.5),
            ),
            graph(
                "Queries without an answer",
                "A second: time-outs, too few replicas, nobody there.",
                Query(
                    f"sum by (operation) (rate(cassandra_failures_total[{RATE}]))",
                    "{{operation}}",
                ),
                unit="reqps",
                limits=Limits(look=0.1, bad=1),
            ),
            graph(
                "Connections",
                "Open ones, to all nodes. None: Cassandra is away.",
                Query('cassandra_connections_active{service="catalog"}', "{{instance}}"),
                unit="short",
                span=24,
            ),
        ],
    }


def _carts() -> Mapping[str, Sequence[Panel]]:
    return {
        "Checkouts": [
            graph(
                "Checkouts without an outcome",
                "carts keeps asking orders what became of these. Usually none.",
                Query('checkouts_running{service="carts"}', "{{instance}}"),
                unit="short",
                limits=Limits(look=5, bad=20),
            ),
            graph(
                "Failed checkouts a minute",
                "By the reason. service_unavailable and checkout_running are our fault.",
                Query(f"sum by (code) (rate(checkouts_failed_total[{RATE}])) * 60", "{{code}}"),
                unit="short",
                is_stacked=True,
            ),
            graph(
                "Parts of all checkouts",
                "broken is our fault, refused is the shop saying no.",
                Query("shop:checkouts_broken:ratio5m", "broken"),
                Query("shop:checkouts_refused:ratio5m", "refused"),
                unit="percentunit",
                limits=Limits(look=0.05, bad=0.1),
            ),
        ],
    }


def _orders() -> Mapping[str, Sequence[Panel]]:
    return {"The order clock": _clock(), "Outbox": _outbox(), "Held stock": _holds()}


def _clock() -> Sequence[Panel]:
    return [
        graph(
            "Open orders",
            "Neither delivered nor cancelled.",
            Query("orders_open", "{{instance}}"),
            unit="short",
        ),
        graph(
            "Steps taken late",
            "By how much, for the latest one in twenty.",
            Query("shop:order_step_lateness_seconds:p95_5m", "late by"),
            unit="s",
            limits=Limits(look=1, bad=5),
        ),
        graph(
            "Last run of the clock",
            "Seconds ago. It runs at least once a second: anything more and no order moves.",
            Query("time() - order_clock_last_run_timestamp_seconds", "{{instance}}"),
            unit="s",
            limits=Limits(look=10, bad=30),
        ),
    ]


def _outbox() -> Sequence[Panel]:
    return [
        graph(
            "Messages that wait",
            "By the service they are for. Some are normal under load; a growing number is not.",
            Query("sum by (destination) (outbox_pending)", "{{destination}}"),
            unit="short",
        ),
        graph(
            "Oldest message",
            "How long it has waited. Nothing is lost meanwhile, but stock and news are late.",
            Query("max by (destination) (outbox_oldest_seconds)", "{{destination}}"),
            unit="s",
            limits=Limits(look=10, bad=60),
        ),
        graph(
            "Failed and refused messages",
            "Attempts a second that came to nothing (tried again), and messages refused for good (lost).",
            Query(
                f"sum by (destination) (rate(outbox_failures_total[{RATE}]))",
                "failed, to {{destination}}",
            ),
            Query(
                f"sum by (destination) (rate(outbox_dropped_total[{RATE}]))",
                "refused by {{destination}}",
            ),
            unit="reqps",
        ),
    ]


def _holds() -> Sequence[Panel]:
    return [
        graph(
            "Holds older than a minute",
            "Found by the last sweep, which settles them: there should be none in the next.",
            Query("order_holds_overdue", "{{instance}}"),
            unit="short",
            limits=Limits(look=1, bad=10),
        ),
        graph(
            "Last sweep",
            "Seconds ago. It comes every 15 s while catalog is there.",
            Query("time() - order_sweep_last_run_timestamp_seconds", "{{instance}}"),
            unit="s",
            limits=Limits(look=45, bad=120),
        ),
        graph(
            "Orders refused, a minute",
            "By the reason.",
            Query(f"sum by (code) (rate(orders_refused_total[{RATE}])) * 60", "{{code}}"),
            unit="short",
        ),
        graph(
            "What the sweeper put right, an hour",
            "Holds of no order given back, and holds of orders of which the catalog was told again.",
            Query(f"sum(rate(order_holds_released_total[{RATE}])) * 3600", "given back"),
            Query(f"sum(rate(order_holds_settled_total[{RATE}])) * 3600", "told again"),
            unit="short",
            span=24,
        ),
    ]


def _accounts() -> Mapping[str, Sequence[Panel]]:
    return {
        "Logins and streams": [
            graph(
                "Passwords being hashed",
                "Under way and waiting. Each takes a good part of a second.",
                Query("password_queue_length", "{{instance}}"),
                unit="short",
                limits=Limits(look=10, bad=25),
            ),
            graph(
                "Logins a minute",
                "By their outcome. wrong and throttled: somebody guesses. busy: the queue is full.",
                Query(f"sum by (outcome) (rate(logins_total[{RATE}])) * 60", "{{outcome}}"),
                unit="short",
                is_stacked=True,
            ),
            graph(
                "Event streams",
                "Browsers that follow their orders live.",
                Query("notification_streams_open", "{{instance}}"),
                unit="short",
            ),
            graph(
                "Registrations a minute",
                "New users.",
                Query(f"sum(rate(users_registered_total[{RATE}])) * 60", "registered"),
                unit="short",
                span=24,
            ),
        ],
    }


ROWS: Mapping[str, Callable[[], Mapping[str, Sequence[Panel]]]] = {
    "catalog": _catalog,
    "carts": _carts,
    "orders": _orders,
    "accounts": _accounts,
}
