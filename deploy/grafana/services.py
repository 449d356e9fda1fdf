"""A dashboard for each service, all alike: rate, errors, duration, saturation, then its own store."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import stores
from deploy.grafana.boards import board
from deploy.grafana.panels import Limits, Panel, Query, figure, graph

RATE = "$__rate_interval"
CALLS_OTHERS = {"carts", "orders", "accounts"}


def service_board(name: str) -> Dashboard:
    """``name``: of the service, as in the label ``service``."""
    sections = {
        "Now": _now(name),
        "Rate": _rate(name),
        "Errors": _errors(name),
        "Duration": _duration(name),
        "Saturation": _saturation(name),
        **stores.rows_of(name),
    }
    about = f"How {name} is doing. Choose views above to look at a part of it."
    title = f"Service: {name}"
    return board(f"shop-{name}", title, about, sections, views_of=name)


def _now(name: str) -> list[Panel]:
    return [
        figure(
            "Ready",
            "How many instances run and take traffic. None: /ready of the service tells the reason.",
            Query(f'sum(service_ready{{service="{name}"}})', "ready"),
            unit="short",
            limits=Limits(look=1, bad=1),
            span=6,
        ),
        figure(
            "Running for",
            "Since the last start of the instance that was started last.",
            Query(f'min(time() - process_start_time_seconds{{service="{name}"}})', "running"),
            unit="s",
            limits=Limits(look=300, bad=60),
            span=6,
        ),
        figure(
            "Content",
            "Apdex of reads and writes: 1 is everyone content (under 0.1 s), 0.5 everyone put out (0.5 s).",
            Query(f'service:http_apdex:ratio5m{{service="{name}"}}', "apdex"),
            unit="percentunit",
            limits=Limits(look=0.95, bad=0.85),
            span=6,
        ),
        figure(
            "Errors",
            "The part of the answers that were 5xx in the last five minutes.",
            Query(f'service:http_errors:ratio5m{{service="{name}"}}', "errors"),
            unit="percentunit",
            limits=Limits(look=0.01, bad=0.05),
            span=6,
        ),
    ]


def _rate(name: str) -> list[Panel]:
    requests = "django_http_requests_total_by_view_transport_method_total"
    return [
        graph(
            "Requests a second, by class",
            "read and write are what people do; internal is the services among themselves; "
            "login hashes a password; checkout crosses three services; other is pages and unknown paths.",
            Query(f'service_class:http_requests:rate5m{{service="{name}"}}', "{{route_class}}"),
            unit="reqps",
            span=12,
        ),
        graph(
            "Requests a second, by view",
            "The ten busiest of the views chosen above.",
            Query(
                f'topk(10, sum by (view, method) (rate({requests}{{service="{name}",view=~"$view"}}[{RATE}])))',
                "{{method}} {{view}}",
            ),
            unit="reqps",
            span=12,
        ),
    ]


def _errors(name: str) -> list[Panel]:
    panels = [
        graph(
            "Answers a second, by status",
            "4xx is what clients did wrong, 503 something away, 500 always a defect of ours.",
            Query(
                f'sum by (status) (rate(django_http_responses_total_by_status_total{{service="{name}"}}[{RATE}]))',
                "{{status}}",
            ),
            unit="reqps",
            is_stacked=True,
        ),
        graph(
            "Refusals and errors, by view",
            "The ten views, of those chosen above, that answer most with 4xx and 5xx.",
            Query(
                "topk(10, sum by (view, status) (rate(django_http_responses_total_by_status_view_method_total"
                f'{{service="{name}",view=~"$view",status=~"[45].."}}[{RATE}])))',
                "{{status}} {{view}}",
            ),
            unit="reqps",
        ),
        graph(
            "Unexpected errors",
            "Answers with 500 within the last ten minutes. Anything above the line is a defect: "
            "the log has the traceback.",
            Query(
                f'sum(increase(django_http_responses_total_by_status_total{{service="{name}",status="500"}}[10m]))',
                "answers with 500",
            ),
            unit="short",
            limits=Limits(look=0.5, bad=1),
        ),
    ]
    return panels + (_peers(name) if name in CALLS_OTHERS else [])


def _peers(name: str) -> list[Panel]:
    return [
        graph(
            "Calls without an answer",
            "The part of the calls to other services that found nobody, or got no answer in time.",
            Query(f'service_peer:calls_away:ratio5m{{service="{name}"}}', "{{peer}}"),
            unit="percentunit",
            limits=Limits(look=0.01, bad=0.1),
            span=12,
        ),
        graph(
            "How long other services take",
            "As seen from here: 95 of 100 calls are faster.",
            Query(
                "histogram_quantile(0.95, sum by (peer, le) (rate(peer_call_duration_seconds_bucket"
                f'{{service="{name}"}}[{RATE}])))',
                "{{peer}}",
            ),
            unit="s",
            limits=Limits(look=0.5, bad=1),
            span=12,
        ),
    ]


def _duration(name: str) -> list[Panel]:
    return [
        _quantile(name, "p50", "Half of the requests are faster."),
        _quantile(name, "p95", "95 of 100 requests are faster."),
        _quantile(name, "p99", "99 of 100 requests are faster."),
        graph(
            "Slowest views",
            "95 of 100 requests are faster than this; the ten slowest of the views chosen above. "
            "5 s stands for anything longer.",
            Query(
                "topk(10, histogram_quantile(0.95, sum by (view, method, le) "
                "(rate(django_http_requests_latency_seconds_by_view_method_bucket"
                f'{{service="{name}",view=~"$view"}}[{RATE}]))) >= 0)',
                "{{method}} {{view}}",
            ),
            unit="s",
            span=24,
        ),
    ]


def _quantile(name: str, quantile: str, words: str) -> Panel:
    return graph(
        f"How long requests take, {quantile}",
        f"{words} The red line is the alert's for reads, writes and calls among the services; "
        "checkouts may take 2 s, logins 3 s.",
        Query(
            f'service_class:http_latency_seconds:{quantile}_5m{{service="{name}"}}',
            "{{route_class}}",
        ),
        unit="s",
        limits=Limits(look=0.25, bad=0.5),
    )


def _saturation(name: str) -> list[Panel]:
    return [
        graph(
            "Lag of the event loop",
            "How much later than it should a waiting task runs, once in a hundred times. "
            "High: something blocks the loop, or the core is full.",
            Query(f'service:event_loop_lag_seconds:p99_5m{{service="{name}"}}', "{{instance}}"),
            unit="s",
            limits=Limits(look=0.1, bad=0.25),
        ),
        graph(
            "Requests being answered",
            "How many are under way at once. A growing number: something they wait for is slow.",
            Query(f'http_requests_in_flight{{service="{name}"}}', "{{instance}}"),
            unit="short",
            limits=Limits(look=100, bad=200),
        ),
        graph(
            "Processor",
            "Cores in use. The loop can use one; threads that hash passwords come on top.",
            Query(f'service:cpu_cores:rate5m{{service="{name}"}}', "{{instance}}"),
            unit="percentunit",
            limits=Limits(look=0.7, bad=0.9),
        ),
        graph(
            "Memory",
            "What the process holds. A service whose store is memory grows with what it keeps.",
            Query(f'process_resident_memory_bytes{{service="{name}"}}', "{{instance}}"),
            unit="bytes",
        ),
        graph(
            "Memory, of what it may use",
            "The part of the container's limit, or of the machine's memory where there is none. "
            "At 100 % the process is killed.",
            Query(f'service:memory:ratio{{service="{name}"}}', "{{instance}}"),
            unit="percentunit",
            limits=Limits(look=0.7, bad=0.85),
        ),
        graph(
            "Open files and connections",
            "The part of those that the process may have.",
            Query(f'service:open_files:ratio{{service="{name}"}}', "{{instance}}"),
            unit="percentunit",
            limits=Limits(look=0.6, bad=0.8),
        ),
    ]
