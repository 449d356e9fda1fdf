"""Roles, persons and tokens that are claimed, through a real gateway and past it; fields, too."""

import socket
from collections.abc import Iterator

import httpx
import pytest
from django.test import override_settings

from deploy.local.layout import PREFIXES
from deploy.local.trial import Trial, shop_on_trial
from tests.contract import callers
from tests.store.forgery import HEADER, forged, user_claims

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

KEY = "a key of the shop that is attacked; it is long enough"
CLIENT = httpx.Client(timeout=15)
DOORS = {
    "catalog": "/products/",
    "carts": "/carts/",
    "orders": "/orders/",
    "accounts": "/users/me",
}


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A shop as it is in production, where the attacker has the addresses of the services, too."""
    folder = tmp_path_factory.mktemp("shop")
    with shop_on_trial(folder, DEMO="0", SECRET_KEY=KEY, PASSWORD_ROUNDS="4") as trial:
        yield trial
    CLIENT.close()


@pytest.fixture(params=["gateway", "direct"])
def doors(request: pytest.FixtureRequest, trial: Trial) -> dict[str, str]:
    """An address of each service that wants to know who is calling."""
    if request.param == "direct":
        return {name: trial.layout.url(name) + path for name, path in DOORS.items()}
    return {name: trial.url + PREFIXES[name] + path for name, path in DOORS.items()}


def answers(doors: dict[str, str], headers: list[tuple[str, str]]) -> dict[str, httpx.Response]:
    return {name: CLIENT.get(url, headers=headers) for name, url in doors.items()}


LIES = {
    "admin": [("admin", "true")],
    "admin twice": [("admin", "true"), ("admin", "true")],
    "X_User_ID": [("X_User_ID", "boss")],
    "X_User_ID and admin": [("X_User_ID", "boss"), ("admin", "true")],
    "X-User-ID": [("X-User-ID", "boss")],
    "X-User-ID twice": [("X-User-ID", "boss"), ("X-User-ID", "boss")],
    "the description's key": [
        ("Authorization", f"Bearer {forged(user_claims(is_admin=True), key='supersecretkey123')}")
    ],
}


@pytest.mark.parametrize("lie", LIES)
def test_no_header_makes_somebody_of_nobody(doors: dict[str, str], lie: str) -> None:
    found = answers(doors, LIES[lie])

    assert {name: each.status_code for name, each in found.items()} == dict.fromkeys(DOORS, 401)
    assert {each.headers["WWW-Authenticate"] for each in found.values()} == {"Bearer"}


@pytest.mark.parametrize("lie", ["admin", "admin twice", "X_User_ID and admin"])
def test_no_header_makes_an_admin_of_a_user(doors: dict[str, str], lie: str) -> None:
    token = ("Authorization", f"Bearer {forged(user_claims(sub='mallory'), key=KEY)}")

    found = answers(doors, [token, *LIES[lie]])

    statuses = {name: each.status_code for name, each in found.items()}
    assert statuses == {"catalog": 403, "carts": 403, "orders": 200, "accounts": 401}
    assert found["orders"].json() == []
    assert found["accounts"].json()["code"] == "unknown_user"


def test_a_token_that_is_right_opens_the_doors(doors: dict[str, str]) -> None:
    good = forged(user_claims(sub="boss", is_admin=True), key=KEY)

    found = answers(doors, [("Authorization", f"Bearer {good}")])

    statuses = {name: each.status_code for name, each in found.items()}
    assert statuses == {"catalog": 200, "carts": 200, "orders": 200, "accounts": 401}


def test_no_forged_token_opens_a_door(doors: dict[str, str]) -> None:
    with override_settings(SECRET_KEY=KEY):
        tokens = callers.odd_tokens() | {
            name: headers
            for name, headers in callers.bad_credentials("catalog").items()
            # The gateway takes X-User-ID out, and one of four doors is that of the service.
            if "X-User-ID" not in headers and "service" not in name
        }

    for name, headers in tokens.items():
        # nginx refuses so long a header itself.
        refused = {400, 401} if name == "10 kB" else {401}
        found = answers(doors, list(headers.items()))
        assert {each.status_code for each in found.values()} <= refused, name


def test_a_token_that_names_an_address_makes_nobody_ask_there(doors: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.5)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/keys"
        for name in ("jku", "x5u"):
            token = forged(user_claims(is_admin=True), header=HEADER | {name: url}, key=KEY)
            found = answers(doors, [("Authorization", f"Bearer {token}")])
            assert {each.status_code for each in found.values()} == {401}

        with pytest.raises(TimeoutError):
            trap.accept()


@pytest.mark.parametrize("name", ["admin_x", "ADMIN_X", "swagger_admin"])
def test_nobody_registers_as_an_admin(trial: Trial, name: str) -> None:
    person = {"full_name": "M", "phone": "+7 999", "password": "a password", "username": name}

    for url in (f"{trial.url}/user-api", trial.layout.url("accounts")):
        claimed = CLIENT.post(f"{url}/users/register", json=person | {"is_admin": True})
        plain = CLIENT.post(f"{url}/users/register", json=person)
        assert claimed.status_code in (400, 403)
        assert plain.status_code == 400 or plain.json()["is_admin"] is False


def test_what_every_answer_carries_and_does_not(doors: dict[str, str]) -> None:
    origin = {"Origin": "https://elsewhere.example"}

    found = [CLIENT.get(url, headers=origin) for url in doors.values()]

    for answer in found:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert not set(answer.headers.get("server", "")) & set("0123456789")
        assert "Traceback" not in answer.text
