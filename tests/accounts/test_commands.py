"""The commands, against a service that runs and one that does not."""

import io
import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from accounts import demo
from accounts.management import running
from store import tokens

Handler = Callable[[httpx.Request], httpx.Response]
PASSWORD = "correct horse"


class Service:
    """A running accounts service, played behind the commands' transport."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.answer: Handler = lambda _: httpx.Response(201, json={})
        self.is_demo = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/health":
            return httpx.Response(200, headers={"X-Store-Demo": "1"} if self.is_demo else {})
        self.asked.append(request)
        return self.answer(request)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()
    transport = httpx.MockTransport(service)
    monkeypatch.setattr(running, "make_client", lambda: httpx.Client(transport=transport))
    return service


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with io.StringIO(f"{PASSWORD}\n") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield


def run(*arguments: str) -> str:
    with io.StringIO() as out:
        call_command(*arguments, stdout=out)
        return out.getvalue()


def fail(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as failure:
        run(*arguments)
    return failure.value


def taken(request: httpx.Request) -> httpx.Response:
    return httpx.Response(400, json={"detail": "Taken.", "code": "username_taken"})


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_create_admin_registers_an_admin_as_a_service(service: Service, piped: None) -> None:
    said = run("create_admin", "boss", "--password-stdin", "--phone", "+7 123")

    (request,) = service.asked
    assert "boss is an admin now." in said
    assert request.url == "http://127.0.0.1:8003/users/register"
    assert json.loads(request.content) == {
        "username": "boss",
        "full_name": "boss",
        "phone": "+7 123",
        "is_admin": True,
        "password": PASSWORD,
    }
    claims = tokens.verified_claims(request.headers["Authorization"].removeprefix("Bearer "))
    assert (claims["sub"], claims["aud"]) == ("service:accounts", "accounts")
    assert request.headers["admin"] == "true"


def test_create_admin_asks_twice_on_a_terminal(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return PASSWORD

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("accounts.management.commands.create_admin.getpass", answer)

    run("create_admin", "boss")

    assert len(asked) == 2
    assert json.loads(service.asked[0].content)["password"] == PASSWORD


def test_create_admin_wants_the_same_password_twice(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["correct horse", "correct house"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("accounts.management.commands.create_admin.getpass", lambda _: next(typed))

    assert "differ" in str(fail("create_admin", "boss"))
    assert not service.asked


def test_create_admin_asks_nobody_where_nobody_is(service: Service, piped: None) -> None:
    assert "--password-stdin" in str(fail("create_admin", "boss"))
    assert not service.asked


def test_create_admin_says_that_a_name_is_taken(service: Service, piped: None) -> None:
    service.answer = taken

    failure = fail("create_admin", "boss", "--password-stdin")

    assert (str(failure), failure.returncode) == ("The username boss is taken.", 1)


def test_create_admin_says_what_is_wrong(service: Service, piped: None) -> None:
    body = {"detail": "Not valid.", "code": "invalid", "errors": {"username": ["Too short."]}}
    service.answer = lambda _: httpx.Response(400, json=body)

    assert str(fail("create_admin", "b", "--password-stdin")) == "username: Too short."


def test_another_key_is_named_as_the_reason(service: Service, piped: None) -> None:
    service.answer = lambda _: httpx.Response(401, json={"detail": "No.", "code": "x"})

    assert "SECRET_KEY" in str(fail("create_admin", "boss", "--password-stdin"))


@pytest.mark.parametrize(
    "answer", [refused, lambda _: httpx.Response(502), lambda _: httpx.Response(503)]
)
def test_a_service_that_is_away_has_an_exit_code_of_its_own(
    service: Service, piped: None, answer: Handler
) -> None:
    service.answer = answer

    failure = fail("create_admin", "boss", "--password-stdin")

    assert failure.returncode == 3
    assert "http://127.0.0.1:8003" in str(failure)
    assert "USER_SERVICE_URL" in str(failure)


def test_seed_users_makes_the_demo_users(demo_mode: None, service: Service) -> None:
    said = run("seed_users")

    bodies = [json.loads(request.content) for request in service.asked]
    assert [(body["username"], body["is_admin"]) for body in bodies] == [
        ("swagger_user", False),
        ("swagger_admin", True),
    ]
    assert said == "swagger_user: made\nswagger_admin: made\n"


def test_seed_users_says_who_existed(demo_mode: None, service: Service) -> None:
    service.answer = taken

    assert run("seed_users") == "swagger_user: existed already\nswagger_admin: existed already\n"


def test_seed_users_refuses_outside_demo_mode(service: Service) -> None:
    assert "DEMO=1" in str(fail("seed_users"))
    assert not service.asked


def test_seed_users_refuses_for_a_service_outside_demo_mode(
    demo_mode: None, service: Service
) -> None:
    service.is_demo = False

    failure = fail("seed_users")

    assert failure.returncode == 1
    assert "not in demo mode" in str(failure)
    assert not service.asked


@pytest.fixture
def demo_mode(settings: LazySettings) -> None:
    settings.DEMO = True


async def test_the_service_takes_what_the_commands_send(
    shop: httpx.AsyncClient, service: Service
) -> None:
    applicant = demo.ADMIN
    running.register(applicant, PASSWORD)
    request = service.asked[0]

    answer = await shop.post(
        "/user-api/users/register", content=request.content, headers=request.headers
    )

    assert (answer.status_code, answer.json()["is_admin"]) == (201, True)
