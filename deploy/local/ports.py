"""Whether the ports are free, asked before anything starts."""

import errno
import socket
from collections import defaultdict
from random import SystemRandom

from deploy.local.layout import APART, CannotStart, Layout, service_of, spread


def check_ports(layout: Layout) -> None:
    """Raises CannotStart with a line for each port that cannot be had."""
    problems = _named_twice(layout) or _taken(layout)
    if len(problems) == len(layout.processes):
        problems.append("Is a shop open already? Ctrl-C where it runs closes it.")
    if problems:
        raise CannotStart("\n".join(problems))


def free_ports(count: int, *, instances: int = 1) -> list[int]:
    """Different ports that nobody listens on at this moment, nor on those of further instances.

    Below those that systems give to outgoing connections: one of these could sit on the port of
    a service that is being started again.
    """
    end = 32_000 - APART * (instances - 1)
    found: dict[int, int] = {}  # by what is left of them between two instances' ports
    for port in SystemRandom().sample(range(20_000, end), 1000):
        if len(found) < count and not any(map(_why_not, spread(port, instances))):
            found.setdefault(port % APART, port)
    return list(found.values())


def _named_twice(layout: Layout) -> list[str]:
    names = defaultdict(list)
    for name, port in layout.processes.items():
        names[port].append(name)
    return [
        f"Port {port} is given to {' and '.join(sharing)}; each needs its own."
        for port, sharing in names.items()
        if len(sharing) > 1
    ]


def _taken(layout: Layout) -> list[str]:
    reasons = {name: _why_not(port) for name, port in layout.processes.items()}
    return [
        f"Port {layout.processes[name]} {reason} ({name}). "
        f"Free it, or choose {_another_port(layout, service_of(name))} make run"
        for name, reason in reasons.items()
        if reason
    ]


def _another_port(layout: Layout, service: str) -> str:
    another = f"another: {service.upper()}_PORT={layout.ports[service] + 1000}"
    return another if layout.instances == 1 else f"{another} INSTANCES={layout.instances}"


def _why_not(port: int) -> str | None:
    try:
        # Reuses addresses as the services do: a connection closed a moment ago is no obstacle.
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        return "is taken" if error.errno == errno.EADDRINUSE else f"cannot be opened: {error}"
    return None
