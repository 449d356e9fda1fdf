"""Being told to stop: Ctrl-C, SIGTERM, a terminal that is closed."""

import signal

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody pressed Ctrl-C or told us to end."""


def stop_on_signals() -> None:
    """From now on they raise Stopped."""
    for number in NUMBERS:
        signal.signal(number, _stop)


def ignore_signals() -> None:
    """While ending: a second Ctrl-C changes nothing."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


def _stop(*_: object) -> None:
    raise Stopped
