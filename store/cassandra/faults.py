"""Why Cassandra cannot be used: in a sentence for the log, once and not with every request.

The sentences name settings and tables, never an address, a user or a password.
"""

import errno
import logging
import re
import time
from collections.abc import Callable, Mapping

from cassandra import AuthenticationFailed, OperationTimedOut, Timeout, Unauthorized
from cassandra import Unavailable as TooFewReplicas
from cassandra import UnresolvableContactPoints as NamesUnknown
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionShutdown

log = logging.getLogger(__name__)

SAID_AGAIN_SECONDS = 600.0
# A failure now and then is no new outage each time.
QUIET_SECONDS = 5.0
LONGEST = 200

UNANSWERED = "it does not answer"
HUNG_UP = "it has hung up"
NO_NODE = "none of its nodes is up, or none in CASSANDRA_DATACENTER where that is set"
WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (NamesUnknown, "no address is known for what CASSANDRA_HOST names"),
    (ConnectionRefusedError, "nobody listens there (CASSANDRA_HOST, CASSANDRA_PORT)"),
    (ConnectionResetError, "it hangs up at once, as one does that wants TLS (CASSANDRA_TLS)"),
    ((TimeoutError, Timeout, OperationTimedOut), UNANSWERED),
    (ConnectionShutdown, HUNG_UP),
)
NO_WAY = (errno.EHOSTUNREACH, errno.ENETUNREACH)
TLS_WORDS = (
    ("WRONG_VERSION_NUMBER", "CASSANDRA_TLS is on, and it does not offer TLS on this port"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is none that CASSANDRA_TLS_CA vouches for"),
    ("", "it breaks off TLS; perhaps it wants another certificate (CASSANDRA_TLS_CERT)"),
)
ADDRESS = re.compile(r"[(\[]*'?\d+(?:\.\d+){3}'?(?:(?::|, )\d+)?[)\]]*")
MISSING_PERMISSION = re.compile(r"no (\w+) permission on (.+?) or any")
SERVERS_MESSAGE = re.compile(r'message="(.*)"', re.DOTALL)


class SchemaDiffers(Exception):
    """Its text says which table has what that it should not have."""


class Outage:
    """What is wrong with Cassandra at this moment, as far as its users have noticed."""

    def __init__(self, place: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """``place``: its addresses, for the log alone."""
        self.reason: str | None = None
        self._place = place
        self._clock = clock
        self._said: dict[str, float] = {}
        self._failed_at = float("-inf")

    def because(self, error: BaseException) -> None:
        """Logs the reason unless it was logged a short while ago."""
        self.reason = reason = reason_of(error)
        self._failed_at = now = self._clock()
        if now - self._said.get(reason, float("-inf")) >= SAID_AGAIN_SECONDS:
            self._said[reason] = now
            log.warning(
                "Cassandra at %s cannot be used, and is tried again: %s.", self._place, reason
            )

    def works(self) -> None:
        """Called with every success that tells something."""
        if self.reason is not None and self._clock() - self._failed_at >= QUIET_SECONDS:
            log.warning("Cassandra at %s is in use again.", self._place)
            self.reason = None
            self._said.clear()


def reason_of(error: BaseException) -> str:
    """Half a sentence that follows "it cannot be used:"."""
    error = _most_telling(error)
    for kinds, words in WORDS:
        if isinstance(error, kinds):
            return words
    if isinstance(error, SchemaDiffers):
        return str(error)
    if isinstance(error, OSError) and error.errno in NO_WAY:
        return UNANSWERED
    if isinstance(error, AuthenticationFailed):
        return _of_credentials(error)
    if isinstance(error, NoHostAvailable):
        return NO_NODE
    if isinstance(error, TooFewReplicas):
        wanted, alive = error.required_replicas, error.alive_replicas
        return f"too few of its replicas are up, {alive} of the {wanted} that are wanted"
    return _of_tls(str(error)) or _of_permissions(error) or _in_its_own_words(error)


def _most_telling(error: BaseException) -> BaseException:
    """One node that answered says more than all that did not."""
    found = getattr(error, "errors", None)
    if not isinstance(error, NoHostAvailable) or not isinstance(found, Mapping) or not found:
        return error
    causes = list(found.values())
    told = [each for each in causes if not isinstance(each, ConnectionRefusedError | TimeoutError)]
    telling: BaseException = (told or causes)[0]
    return telling


def _of_credentials(error: AuthenticationFailed) -> str:
    if "requires authentication" in str(error):
        return "it asks who we are, and CASSANDRA_USER is not set"
    return "it refuses CASSANDRA_USER with CASSANDRA_PASSWORD"


def _of_tls(text: str) -> str | None:
    if "SSL" not in text and "EOF occurred" not in text:
        return None
    return next(words for sign, words in TLS_WORDS if sign in text)


def _of_permissions(error: BaseException) -> str | None:
    if not isinstance(error, Unauthorized):
        return None
    missing = MISSING_PERMISSION.search(str(error))
    what = f"{missing[1]} on {missing[2]}" if missing else "what is needed"
    return f"CASSANDRA_USER is not permitted {what}"


def _in_its_own_words(error: BaseException) -> str:
    said = SERVERS_MESSAGE.search(str(error))
    text = said[1] if said else f"{type(error).__name__}: {error}"
    return " ".join(ADDRESS.sub("it", text).split())[:LONGEST].rstrip(".")
