"""The running accounts service, as its commands call it: people live in its memory, not in ours."""

from typing import Any

import httpx
from django.core.management.base import CommandError

from accounts.domain import Applicant, UsernameTaken
from store import http, tokens

REFUSED = 1
AWAY = 3
# Past the queue of passwords before ours.
SECONDS = 15.0


def make_client() -> httpx.Client:
    return httpx.Client(timeout=SECONDS, trust_env=False)


def register(applicant: Applicant, password: str) -> bool:
    """Registers somebody as an admin may; False for a name that exists.

    Raises CommandError, with exit code 3 for a service that is away and 1 for one that refuses.
    """
    body = {
        "username": applicant.username,
        "full_name": applicant.full_name,
        "phone": applicant.phone,
        "is_admin": applicant.is_admin,
        "password": password,
    }
    token = tokens.service_token("accounts", "accounts")
    headers = {"Authorization": f"Bearer {token}", "admin": "true"}
    answer, address = _call("POST", "/users/register", json=body, headers=headers)
    return _made(answer, address)


def check_demo() -> None:
    """Raises CommandError unless the running service is in demo mode: this process may err."""
    answer, address = _call("GET", "/health")
    if answer.headers.get("X-Store-Demo") != "1":
        raise CommandError(
            f"The accounts service at {address} is not in demo mode.", returncode=REFUSED
        )


def _call(method: str, path: str, **request: Any) -> tuple[httpx.Response, str]:
    """The answer and whose it is."""
    address = http.remote_url("accounts")
    try:
        with make_client() as client:
            return client.request(method, address + path, **request), address
    except httpx.TransportError as error:
        raise _away(address, type(error).__name__) from None


def _made(answer: httpx.Response, address: str) -> bool:
    if answer.status_code == httpx.codes.CREATED:
        return True
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _away(address, str(answer.status_code))
    problem = _problem(answer)
    if problem.get("code") == UsernameTaken.code:
        return False
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise CommandError(
            f"The accounts service at {address} does not know our key: "
            "SECRET_KEY has to be the one it runs with.",
            returncode=REFUSED,
        )
    raise CommandError(_sentence(problem), returncode=REFUSED)


def _problem(answer: httpx.Response) -> dict[str, object]:
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _sentence(problem: dict[str, object]) -> str:
    errors = problem.get("errors")
    if not isinstance(errors, dict):
        return str(problem.get("detail", "The accounts service refused without a reason."))
    return "\n".join(f"{field}: {' '.join(faults)}" for field, faults in errors.items())


def _away(address: str, why: str) -> CommandError:
    return CommandError(
        f"The accounts service does not answer at {address} ({why}). "
        "Start it, or say where it is with USER_SERVICE_URL.",
        returncode=AWAY,
    )
