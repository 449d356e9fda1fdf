"""Rows that other programs wrote, as odd as CQL lets them be: shown or refused, never a 500."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from uuid import UUID, uuid4

import httpx
import pytest

from deploy.cassandra.trial import Trial
from tests.catalog.guard import readiness, shop_on
from tests.store.pages.conftest import csrf_token

pytestmark = pytest.mark.cassandra

Headers = dict[str, str]
KEYSPACE = "odd_rows"
SHOWN = {
    # name, category, price, quantity as CQL, and as shown: price, stock
    "whole": ("'Сыр', 'Сыры', 12.5, 3", 12.5, 3),
    "no quantity": ("'Сыр 2', 'Сыры', 12.50, null", 12.5, 0),
    "negative quantity": ("'Сыр 3', 'Сыры', 1E+2, -7", 100, 0),
    "more zeros": ("'Сыр 4', 'Сыры', 0.0100000, 1", 0.01, 1),
    "the dearest": ("'Сыр 5', 'Сыры', 99999999.99, 2147483647", 99999999.99, 2147483647),
    "a long name": (f"'{'ы' * 5000}', 'Сыры', 1, 1", 1, 1),
    "a name to escape": ("'<b>&\"\n', 'a/б?c=d', 1, 1", 1, 1),
}
REFUSED = {
    "nothing at all": "null, null, null, null",
    "no name": "null, 'Сыры', 12.5, 1",
    "an empty name": "'', 'Сыры', 12.5, 1",
    "no category": "'Сыр', null, 12.5, 1",
    "no price": "'Сыр', 'Сыры', null, 1",
    "free": "'Сыр', 'Сыры', 0, 1",
    "below zero": "'Сыр', 'Сыры', -1, 1",
    "three decimals": "'Сыр', 'Сыры', 0.001, 1",
    "many digits": f"'Сыр', 'Сыры', {'9' * 4000}, 1",
    "too dear": "'Сыр', 'Сыры', 100000000, 1",
}
# CQL cannot spell these; programs can write them.
PRICES = {
    "past all measure": Decimal("1E+1000000"),
    "next to nothing": Decimal("1E-1000000"),
}
Rows = dict[str, UUID]


@pytest.fixture(scope="module")
def rows(cassandra: Trial) -> Rows:
    """Their ids, in a keyspace that no service has made."""
    from cassandra.cluster import Cluster

    ids = {name: uuid4() for name in [*SHOWN, *REFUSED, *PRICES]}
    values = {name: row[0] for name, row in SHOWN.items()} | REFUSED
    cluster = Cluster(["127.0.0.1"], port=cassandra.ring.cql_port, protocol_version=4)
    session = cluster.connect()
    session.execute(
        f"CREATE KEYSPACE {KEYSPACE} WITH replication ="
        " {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    columns = (
        "id uuid PRIMARY KEY, name text, category text, price decimal, quantity int,"
        " description text, manufacturer text, created_at timestamp"
    )
    session.execute(f"CREATE TABLE {KEYSPACE}.products ({columns})")
    into = f"INSERT INTO {KEYSPACE}.products (id, name, category, price, quantity, created_at)"
    for name, value in values.items():
        session.execute(f"{into} VALUES ({ids[name]}, {value}, null)")
    priced = session.prepare(f"{into} VALUES (?, 'Сыр', 'Сыры', ?, 1, null)")
    for name, price in PRICES.items():
        session.execute(priced, [ids[name], price])
    cluster.shutdown()
    return ids


@pytest.fixture
async def shop(
    demo: None, cassandra: Trial, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    settings = cassandra.settings | {"CASSANDRA_KEYSPACE": KEYSPACE}
    async with shop_on(settings, monkeypatch) as client:
        await readiness(client, wanted="200")
        yield client


async def test_odd_rows_are_shown_or_refused_everywhere_alike(
    shop: httpx.AsyncClient, rows: Rows, admin: Headers, auth: Callable[..., Headers]
) -> None:
    page = (await shop.get("/api/products/", headers=admin)).json()
    by_price = await shop.get("/api/products/?sort_by=price&in_stock=true", headers=admin)
    categories = (await shop.get("/api/products/categories/list")).json()
    metrics = (await shop.get("/api/metrics")).text

    assert {item["product_id"] for item in page["items"]} == {str(rows[name]) for name in SHOWN}
    assert (page["total"], by_price.json()["total"]) == (len(SHOWN), len(SHOWN) - 2)
    assert [each["product_count"] for each in categories] == [1, len(SHOWN) - 1]
    assert f"products_total {float(len(SHOWN))}" in metrics
    for name, (_, price, stock) in SHOWN.items():
        product = (await shop.get(f"/api/products/{rows[name]}", headers=admin)).json()
        assert (product["price"], product["stock_count"]) == (price, stock)
    for name in (*REFUSED, *PRICES):
        address = f"/api/products/{rows[name]}"
        changed = await shop.put(address, json={"stock_count": 5}, headers=admin)
        body = {"product_id": str(rows[name]), "quantity": 1}
        put = await shop.post("/cart-api/cart/items", json=body, headers=auth("alice"))
        viewed = await shop.post(f"/cart-api/products/{rows[name]}/view", headers=auth("alice"))
        answers = [await shop.get(address, headers=admin), changed, put, viewed]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 404], name


async def test_what_is_shown_of_them_can_be_bought_and_what_is_not_in_stock_cannot(
    shop: httpx.AsyncClient, rows: Rows, auth: Callable[..., Headers]
) -> None:
    for name, (_, _, stock) in SHOWN.items():
        buyer = auth("alice")
        body = {"product_id": str(rows[name]), "quantity": 1}
        put = await shop.post("/cart-api/cart/items", json=body, headers=buyer)
        checked_out = await shop.post("/cart-api/cart/checkout", headers=buyer)

        expected = (200, 200) if stock else (400, 400)
        assert (put.status_code, checked_out.status_code) == expected, put.text


async def test_the_admin_pages_show_the_same_ones(shop: httpx.AsyncClient, rows: Rows) -> None:
    html = {"Accept": "text/html"}
    form = await shop.get("/api/admin/login/", headers=html, follow_redirects=True)
    who = {"username": "swagger_admin", "password": "admin123"}
    data = who | {"csrfmiddlewaretoken": csrf_token(form)}
    await shop.post(str(form.url), data=data, headers=html)

    products = "/api/admin/catalog/product/"
    page = await shop.get(products, headers=html)
    found = {
        name: (await shop.get(f"{products}{key}/change/", headers=html)).status_code
        for name, key in rows.items()
    }

    assert page.status_code == 200
    assert f"{len(SHOWN)}\n  products" in page.text
    assert found == dict.fromkeys(rows, 404) | dict.fromkeys(SHOWN, 200)


async def test_a_check_names_every_row_that_is_refused(cassandra: Trial, rows: Rows) -> None:
    from catalog.cassandra.audit import Audit
    from catalog.cassandra.changes import Changes
    from catalog.cassandra.rebuild import Rebuild
    from catalog.cassandra.schema import CATALOG
    from store.cassandra.bridge import Bridge
    from store.tasks import Tasks
    from tests.node import database

    bridge = Bridge(database(cassandra, keyspace=KEYSPACE), CATALOG)
    await bridge.open()

    adopted = [part async for part in Rebuild(bridge, Changes.writing(bridge)).parts(done=0)]
    checked = [tally async for tally in Audit(bridge, Tasks()).parts()]
    await bridge.close()

    differences = [each.text for tally in checked for each in tally.differences]
    refused = [text for part in adopted for text in part.refused]
    assert sum(part.products for part in adopted) == len(SHOWN)
    assert len(refused) == len(REFUSED) + len(PRICES)
    assert set(refused) <= set(differences)
    assert len(differences) == len(refused) + 2  # and the two odd quantities
