"""The dashboard to open first: is the shop well, and how does it sell?"""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.boards import board
from deploy.grafana.panels import Limits, Panel, Query, bars, figure, graph, rows

RATE = "$__rate_interval"


def overview() -> Dashboard:
    sections = {
        "Now": _now(),
        "Selling": _selling(),
        "Orders": _orders(),
        "People and products": _people(),
        "Is it well?": _health(),
    }
    about = "Is the shop well, and how does it sell? Each service has a dashboard of its own."
    return board("shop-overview", "Shop overview", about, sections)


def _now() -> list[Panel]:
    return [
        figure(
            "Services up",
            "How many of the four services answer and take traffic. Less than four: look at the alerts below.",
            Query("sum(service_ready)", "services"),
            unit="short",
            limits=Limits(look=4, bad=3),
        ),
        figure(
            "Alerts firing",
            "Each has its page in docs/observing.md; the list is at the bottom.",
            Query('count(ALERTS{alertstate="firing"}) or vector(0)', "alerts"),
            unit="short",
            limits=Limits(look=1, bad=3),
        ),
        figure(
            "Errors",
            "The part of all answers, of all services, that were 5xx in the last five minutes.",
            Query("sum(service:http_errors:rate5m) / sum(service:http_requests:rate5m)", "errors"),
            unit="percentunit",
            limits=Limits(look=0.01, bad=0.05),
        ),
        figure(
            "Checkouts a minute",
            "Carts that became an order, over the last five minutes.",
            Query("shop:checkouts:rate5m * 60", "checkouts"),
            unit="short",
        ),
        figure(
            "Broken checkouts",
            "The part of the checkouts that failed through our fault: a service away, or no answer in time.",
            Query("shop:checkouts_broken:ratio5m", "broken"),
            unit="percentunit",
            limits=Limits(look=0.01, bad=0.1),
        ),
        figure(
            "Oldest message",
            "How long the oldest message of orders to another service has waited. Usually milliseconds.",
            Query("max(outbox_oldest_seconds)", "waiting"),
            unit="s",
            limits=Limits(look=10, bad=60),
        ),
    ]


def _selling() -> list[Panel]:
    return [
        graph(
            "Checkouts a minute",
            "Carts that became an order, and those that did not, by the reason. "
            "service_unavailable and checkout_running are our fault, the others are the shop saying no.",
            Query(f"sum(rate(checkouts_total[{RATE}])) * 60", "ordered"),
            Query(f"sum by (code) (rate(checkouts_failed_total[{RATE}])) * 60", "{{code}}"),
            unit="short",
        ),
        graph(
            "Revenue an hour",
            "The sum of the orders made, at the pace of the moment. Later cancellations are not taken off.",
            Query(f"sum(rate(order_revenue_cents_total[{RATE}])) * 36", "revenue"),
            unit="currencyRUB",
        ),
        graph(
            "What a cart is worth",
            "At checkout: half of the carts are worth less than the first line, one in ten more than the second. "
            "Carts over 500 all count as 500.",
            Query(
                f"histogram_quantile(0.5, sum by (le) (rate(cart_value_cents_bucket[{RATE}]))) / 100",
                "half are below",
            ),
            Query(
                f"histogram_quantile(0.9, sum by (le) (rate(cart_value_cents_bucket[{RATE}]))) / 100",
                "nine in ten are below",
            ),
            unit="currencyRUB",
        ),
        bars(
            "What sells",
            "The ten products of which most pieces were ordered since orders was started.",
            Query("topk(10, sum by (product_name) (products_ordered_total))", "{{product_name}}"),
            unit="short",
        ),
        bars(
            "What is put into carts",
            "The ten products that were most often added to a cart since carts was started. "
            "Much here and nothing on the left: sold out, or too dear.",
            Query(
                "topk(10, sum by (product_name) (items_added_to_cart_total))", "{{product_name}}"
            ),
            unit="short",
        ),
    ]


def _orders() -> list[Panel]:
    return [
        graph(
            "Orders by status",
            "How many orders are in each status now. CREATED and PROCESSING last seconds: "
            "if they grow, the order clock is late.",
            Query("sum by (status) (orders_in_status)", "{{status}}"),
            unit="short",
            is_stacked=True,
        ),
        graph(
            "Orders entering a status, a minute",
            "How many orders a minute are made, move on, and are cancelled.",
            Query(f"sum by (status) (rate(orders_status_total[{RATE}])) * 60", "{{status}}"),
            unit="short",
        ),
        graph(
            "Steps taken late",
            "How long after its time an order moves on, at worst for one step in twenty. "
            "The red line is where an alert fires.",
            Query("shop:order_step_lateness_seconds:p95_5m", "late by"),
            unit="s",
            limits=Limits(look=1, bad=5),
        ),
        graph(
            "From order to delivery",
            "How long delivered orders took.",
            Query(
                f"histogram_quantile(0.5, sum by (le) (rate(order_delivery_duration_seconds_bucket[{RATE}])))",
                "half are faster",
            ),
            Query(
                f"histogram_quantile(0.95, sum by (le) (rate(order_delivery_duration_seconds_bucket[{RATE}])))",
                "95 in 100 are faster",
            ),
            unit="s",
            span=12,
        ),
        graph(
            "Pieces in a cart",
            "How many pieces, quantities summed, are bought at a checkout on average.",
            Query(
                f"sum(rate(cart_items_count_sum[{RATE}])) / (sum(rate(cart_items_count_count[{RATE}])) > 0)",
                "pieces",
            ),
            unit="short",
            span=12,
        ),
    ]


def _people() -> list[Panel]:
    return [
        graph(
            "Registrations a minute",
            "New users.",
            Query(f"sum(rate(users_registered_total[{RATE}])) * 60", "registered"),
            unit="short",
        ),
        graph(
            "Logins a minute",
            "By their outcome. Many wrong or throttled ones: somebody guesses passwords. "
            "busy: too many passwords wait for their hash.",
            Query(f"sum by (outcome) (rate(logins_total[{RATE}])) * 60", "{{outcome}}"),
            unit="short",
        ),
        graph(
            "Products by category",
            "What the catalogue has, sold out or not: the ten largest categories.",
            Query("topk(10, max by (category) (products_by_category))", "{{category}}"),
            unit="short",
        ),
    ]


def _health() -> list[Panel]:
    return [
        graph(
            "Requests a second",
            "By service, those of the services among themselves included.",
            Query("service:http_requests:rate5m", "{{service}}"),
            unit="reqps",
        ),
        graph(
            "Errors",
            "The part of a service's answers that were 5xx. The red line is where an alert fires.",
            Query("service:http_errors:ratio5m", "{{service}}"),
            unit="percentunit",
            limits=Limits(look=0.01, bad=0.05),
        ),
        graph(
            "Slowest one in a hundred",
            "How long reads, writes and calls among the services take, but for the fastest 99 of 100. "
            "Logins and checkouts are slower by nature: see the services' dashboards.",
            Query(
                'max by (service) (service_class:http_latency_seconds:p99_5m{route_class=~"read|write|internal"})',
                "{{service}}",
            ),
            unit="s",
            limits=Limits(look=0.25, bad=0.5),
        ),
        rows(
            "Alerts",
            "What is wrong (firing), or has just begun to be (pending). "
            "What to do about each: docs/observing.md, under its name.",
            Query('ALERTS{alertstate=~"pending|firing"}', "{{alertname}}"),
            hidden=("__name__", "job", "Value", "Time"),
        ),
    ]
