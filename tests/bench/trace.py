"""``python -m tests.bench.trace``: a journey's trace as a tree, on a Cassandra of its own."""

from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.cassandra.trial import cassandra_on_trial
from deploy.local.trial import shop_on_trial
from tests.journeys.test_traces import QUICK, TRACE_ID, is_delivered, travel
from tests.receiver import receiving, tree


def main() -> None:
    with TemporaryDirectory() as folder, receiving() as (url, receiver):
        run = Path(folder)
        with cassandra_on_trial(run / "cassandra") as cassandra:
            settings = QUICK | cassandra.settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": url}
            with shop_on_trial(run / "shop", **settings) as shop:
                travel(shop)
                receiver.wait_until(is_delivered, seconds=30)
                shop.close()
    print(tree([span for span in receiver.spans if span.trace_id == TRACE_ID]))


if __name__ == "__main__":
    main()
