"""``python -m deploy.local.dev``: the shop in one process, restarted when a file changes."""

import os
import sys

from deploy.local.layout import PROJECT, SERVICES, CannotStart, Layout, layout_from
from deploy.local.ports import check_ports
from deploy.local.secret import secret_key


def main() -> None:
    """Becomes uvicorn."""
    layout = layout_from(os.environ)
    port = layout.ports["gateway"]
    check_ports(Layout(ports={"gateway": port}, run=layout.run))
    layout.make_folders()
    shop = {"DJANGO_SETTINGS_MODULE": "store.settings.all", "DEMO": "1", "LOG_FORMAT": "text"}
    environment = shop | {"SECRET_KEY": secret_key(layout)} | dict(os.environ)
    os.chdir(PROJECT)
    folders = [word for name in ("store", *SERVICES) for word in ("--reload-dir", name)]
    command = [sys.executable, "-m", "uvicorn", "store.asgi:application", "--port", str(port)]
    os.execve(sys.executable, [*command, "--reload", *folders], environment)  # noqa: S606


if __name__ == "__main__":
    try:
        main()
    except CannotStart as problem:
        sys.exit(str(problem))
