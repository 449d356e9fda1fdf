"""A Cassandra that cannot be used as things are: what the service says, answers, and does next."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.catalog.examples import MILK
from tests.catalog.guard import (
    PASSWORD,
    USER,
    Guard,
    cassandra_on_guard,
    readiness,
    shop_on,
)
from tests.node import database_of

pytestmark = pytest.mark.cassandra

Headers = dict[str, str]
NOBODY = "nobody listens there (CASSANDRA_HOST, CASSANDRA_PORT)"
REFUSED = "it refuses CASSANDRA_USER with CASSANDRA_PASSWORD"


@pytest.fixture(scope="module")
def guard(can_have_cassandra: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    from catalog.cassandra.models import TABLES
    from store.cassandra import connection

    with cassandra_on_guard(tmp_path_factory.mktemp("guarded")) as guard:
        connection.dial(database_of(guard.plain), TABLES, "guarded")
        connection.hang_up("guarded")
        yield guard


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    from store.cassandra import link

    monkeypatch.setattr(link, "REDIAL_SECONDS", 0.2)


async def assert_unavailable(shop: httpx.AsyncClient, headers: Headers) -> None:
    """In the shapes of the contract."""
    health = await shop.get("/api/health")
    system = await shop.get("/api/system/health")
    calls = [
        await shop.get("/api/products/", headers=headers),
        await shop.get(f"/api/products/{uuid4()}", headers=headers),
        await shop.post("/api/products/", json=MILK, headers=headers),
        await shop.get("/api/products/categories/list"),
    ]

    assert (health.status_code, system.status_code) == (200, 503)
    assert system.json() == {
        "status": "error",
        "service": "catalog",
        "database_connection": "unavailable",
    }
    for call in calls:
        assert (call.status_code, call.json()["code"]) == (503, "store_unavailable")
        assert int(call.headers["Retry-After"]) >= 1


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What an operator reads of it; nothing of the driver's own and no traceback."""
    assert not [record for record in caplog.records if record.exc_info]
    assert not [record for record in caplog.records if record.name.startswith("cassandra")]
    return [text for record in caplog.records if "cannot be used" in (text := record.getMessage())]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"CASSANDRA_HOST": "nobody.invalid"}, "no address is known for what CASSANDRA_HOST names"),
        ({"CASSANDRA_HOST": "127.9.9.9"}, NOBODY),
        ({"CASSANDRA_PORT": "19"}, NOBODY),
        ({"CASSANDRA_USER": "", "CASSANDRA_PASSWORD": ""}, "it asks who we are"),
        ({"CASSANDRA_PASSWORD": "not the right one"}, REFUSED),
        ({"CASSANDRA_USER": "nobody"}, REFUSED),
        ({"CASSANDRA_DATACENTER": "elsewhere"}, "none in CASSANDRA_DATACENTER"),
        ({"CASSANDRA_CONSISTENCY": "THREE"}, "too few of its replicas are up, 1 of the 3"),
        ({"CASSANDRA_TLS": "1"}, "it does not offer TLS on this port"),
        ({"CASSANDRA_PORT": "tls"}, "as one does that wants TLS (CASSANDRA_TLS)"),
        ({"CASSANDRA_TLS_CA": "other_ca.pem"}, "none that CASSANDRA_TLS_CA vouches for"),
        ({"CASSANDRA_TLS_CERT": ""}, "perhaps it wants another certificate"),
    ],
)
async def test_what_is_wrong_is_one_sentence_in_the_log_and_503_to_callers(
    guard: Guard,
    admin: Headers,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    wrong: dict[str, str],
    reason: str,
) -> None:
    settings = guard.plain | _spelled(guard, wrong)

    async with shop_on(settings, monkeypatch) as shop:
        ready = await readiness(shop, wanted=reason)
        await assert_unavailable(shop, admin)

    (sentence,) = said(caplog)
    assert reason in sentence
    assert sentence.startswith(f"Cassandra at {settings['CASSANDRA_HOST']} (port ")
    assert (ready.status_code, ready.json()["status"]) == (503, "unready")
    for secret in (PASSWORD, USER, "not the right one"):
        assert secret not in caplog.text + ready.text


def _spelled(guard: Guard, wrong: dict[str, str]) -> dict[str, str]:
    """Files and ports are known only now."""
    if wrong == {"CASSANDRA_PORT": "tls"}:
        return {"CASSANDRA_PORT": str(guard.tls_port)}
    if "CASSANDRA_TLS_CA" in wrong:
        return guard.tls | {"CASSANDRA_TLS_CA": str(guard.folder / wrong["CASSANDRA_TLS_CA"])}
    if "CASSANDRA_TLS_CERT" in wrong:
        return guard.tls | {"CASSANDRA_TLS_CERT": "", "CASSANDRA_TLS_KEY": ""}
    return wrong


REVOKE = "REVOKE {0} ON KEYSPACE {{keyspace}} FROM {{user}}".format
GRANT = "GRANT {0} ON KEYSPACE {{keyspace}} TO {{user}}".format
# Who makes a table may do everything with it.
REVOKE_ON = "REVOKE {0} ON {{keyspace}}.{1} FROM {{user}}".format
DROP = "DROP TABLE {{keyspace}}.{0}".format
MAKE = "CREATE TABLE {{keyspace}}.{0} ({1})".format


@pytest.mark.parametrize(
    ("broken", "reason", "mended"),
    [
        (["ALTER ROLE {user} WITH LOGIN = false"], REFUSED, "ALTER ROLE {user} WITH LOGIN = true"),
        (
            [REVOKE("MODIFY"), REVOKE_ON("MODIFY", "progress")],
            "CASSANDRA_USER is not permitted MODIFY on <table corner.progress>",
            GRANT("MODIFY"),
        ),
        (
            [REVOKE("SELECT"), REVOKE_ON("SELECT", "products")],
            "CASSANDRA_USER is not permitted SELECT on <table corner.products>",
            GRANT("SELECT"),
        ),
        (
            [DROP("changes"), REVOKE("CREATE")],
            "CASSANDRA_USER is not permitted CREATE on <all tables in corner>",
            GRANT("CREATE"),
        ),
        (
            [
                "ALTER TABLE {keyspace}.products DROP manufacturer",
                REVOKE("ALTER"),
                REVOKE_ON("ALTER", "products"),
            ],
            "CASSANDRA_USER is not permitted ALTER on <table corner.products>",
            GRANT("ALTER"),
        ),
        (
            [DROP("products"), MAKE("products", "id uuid PRIMARY KEY, price double")],
            "column price of table corner.products is double and not decimal",
            DROP("products"),
        ),
        (
            [DROP("progress"), MAKE("progress", "place bigint PRIMARY KEY")],
            "table corner.progress has the key place and not command",
            DROP("progress"),
        ),
    ],
)
async def test_what_is_mended_in_cassandra_heals_without_a_restart(
    guard: Guard,
    admin: Headers,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    broken: list[str],
    reason: str,
    mended: str,
) -> None:
    guard.cql("; ".join(broken))

    async with shop_on(guard.plain, monkeypatch) as shop:
        await readiness(shop, wanted=reason)
        await assert_unavailable(shop, admin)
        guard.cql(mended)
        await readiness(shop, wanted="200")
        added = await shop.post("/api/products/", json=MILK, headers=admin)

    assert added.status_code == 201
    assert [reason in sentence for sentence in said(caplog)] == [True]


async def test_a_keyspace_that_may_not_be_made_is_made_once_it_may(
    guard: Guard, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = guard.plain | {"CASSANDRA_KEYSPACE": "another"}

    async with shop_on(settings, monkeypatch) as shop:
        await readiness(shop, wanted="not permitted CREATE on <all keyspaces>")
        guard.cql("GRANT CREATE ON ALL KEYSPACES TO {user}")
        await readiness(shop, wanted="200")

    assert len(said(caplog)) == 1


async def test_an_older_schema_gets_what_it_lacks_and_keeps_what_it_has(
    guard: Guard, admin: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = "id uuid PRIMARY KEY, name text, category text, price decimal, created_at timestamp"
    guard.cql("; ".join([DROP("products"), DROP("stock"), MAKE("products", columns)]))
    guard.cql(
        "INSERT INTO {keyspace}.products (id, name, category, price)"
        " VALUES (uuid(), 'Сыр', 'Сыры', 12.5)"
    )

    async with shop_on(guard.plain, monkeypatch) as shop:
        await readiness(shop, wanted="200")
        page = await shop.get("/api/products/", headers=admin)
        (cheese,) = page.json()["items"]
        changed = await shop.put(
            f"/api/products/{cheese['product_id']}", json={"stock_count": 5}, headers=admin
        )

    assert changed.json()["stock_count"] == 5


async def test_over_tls_with_a_certificate_of_its_own_the_shop_serves(
    guard: Guard, admin: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop_on(guard.tls, monkeypatch) as shop:
        await readiness(shop, wanted="200")
        added = await shop.post("/api/products/", json=MILK, headers=admin)
        page = await shop.get("/api/products/", headers=admin)
        health = await shop.get("/api/system/health")

    assert added.status_code == 201
    assert MILK["name"] in [item["name"] for item in page.json()["items"]]
    assert health.json()["database_connection"] == "ok"
