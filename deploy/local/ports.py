"""Whether the ports are free, asked before anything starts."""

import errno
import socket
from collections import defaultdict
from itertools import islice
from random import SystemRandom

from deploy.local.layout import CannotStart, Layout


def check_ports(layout: Layout) -> None:
    """Raises CannotStart with a line for each port that cannot be had."""
    problems = _named_twice(layout) or _taken(layout)
    if len(problems) == len(layout.ports):
        problems.append("Is a shop open already? Ctrl-C where it runs closes it.")
    if problems:
        raise CannotStart("\n".join(problems))


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at this moment.

    Below those that systems give to outgoing connections: one of these could sit on the port of
    a service that is being started again.
    """
    drawn = SystemRandom().sample(range(20_000, 32_000), 1000)
    return list(islice((port for port in drawn if _why_not(port) is None), count))


def _named_twice(layout: Layout) -> list[str]:
    names = defaultdict(list)
    for name, port in layout.ports.items():
        names[port].append(name)
    return [
        f"Port {port} is given to {' and '.join(sharing)}; each needs its own."
        for port, sharing in names.items()
        if len(sharing) > 1
    ]


def _taken(layout: Layout) -> list[str]:
    reasons = {name: _why_not(port) for name, port in layout.ports.items()}
    return [
        f"Port {layout.ports[name]} {reason} ({name}). "
        f"Free it, or choose another: {name.upper()}_PORT={layout.ports[name] + 1000} make run"
        for name, reason in reasons.items()
        if reason
    ]


def _why_not(port: int) -> str | None:
    try:
        # Reuses addresses as the services do: a connection closed a moment ago is no obstacle.
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        return "is taken" if error.errno == errno.EADDRINUSE else f"cannot be opened: {error}"
    return None
