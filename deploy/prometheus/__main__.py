"""``python -m deploy.prometheus``: watches the shop that ``make run`` started."""

import os
import sys

from deploy.local.layout import CannotStart, layout_from, port_from
from deploy.prometheus.local import command, lay_out

EVERY = "5s"


def main() -> None:
    """Becomes Prometheus. Raises CannotStart."""
    layout = layout_from(os.environ)
    port = port_from(os.environ, "PROMETHEUS_PORT", 9090)
    words = command(lay_out(layout, every=EVERY), port=port)
    print(f"Prometheus: http://localhost:{port}/ (alerts: /alerts). Ctrl-C ends it.", flush=True)
    os.execv(words[0], words)  # noqa: S606


if __name__ == "__main__":
    try:
        main()
    except CannotStart as problem:
        sys.exit(str(problem))
