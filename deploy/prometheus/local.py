"""The shipped configuration, laid out for a shop on this machine."""

import json
import shutil
from pathlib import Path

from deploy.local.layout import SERVICES, CannotStart, Layout

HERE = Path(__file__).parent
NO_PROMETHEUS = (
    "No prometheus on this machine: install your system's (`apt-get install prometheus`, "
    "`brew install prometheus`), or look at the services' /metrics."
)
DAYS_KEPT = 7


def lay_out(layout: Layout, *, every: str) -> Path:
    """The folder with everything Prometheus reads; it asks ``every`` "5s", say.

    All of it is what the containers get, but the addresses and how often it asks.
    """
    folder = layout.run / "prometheus"
    for name in ("rules", "targets"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    for rules in HERE.glob("rules/*.yml"):
        shutil.copy(rules, folder / "rules")
    text = (HERE / "prometheus.yml").read_text().replace("_interval: 15s", f"_interval: {every}")
    (folder / "prometheus.yml").write_text(text)
    # YAML understands JSON.
    (folder / "targets" / "shop.yml").write_text(json.dumps(targets(layout), indent=1))
    return folder


def targets(layout: Layout) -> list[dict[str, object]]:
    """The services as Prometheus' file_sd_configs want them."""
    return [
        {
            "targets": [f"127.0.0.1:{port}" for port in layout.ports_of(name)],
            "labels": {"service": name},
        }
        for name in SERVICES
    ]


def command(folder: Path, *, port: int) -> list[str]:
    """Runs it in the foreground, for this machine alone. Raises CannotStart."""
    binary = shutil.which("prometheus")
    if binary is None:
        raise CannotStart(NO_PROMETHEUS)
    return [
        binary,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--storage.tsdb.retention.time={DAYS_KEPT}d",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
