"""What the catalog says of itself: health, readiness, metrics, its documents."""

import httpx
import orjson
import pytest
from prometheus_client import REGISTRY

from catalog.apps import CatalogConfig
from catalog.metrics import MAX_CATEGORIES, OTHER, ProductCounts
from catalog.registers import Register
from catalog.repositories import MemoryCatalog
from catalog.services import CatalogService
from store import service
from tests.catalog.conftest import Headers
from tests.catalog.examples import memory_catalog
from tests.catalog.test_products_api import Add


class AwayCatalog(MemoryCatalog):
    """A store that cannot be reached."""

    async def ping(self) -> bool:
        return False

    def unready(self) -> str | None:
        return "The database is away."


@pytest.fixture
def away(shop: httpx.AsyncClient) -> None:
    config = service.config("catalog")
    assert isinstance(config, CatalogConfig)
    register: Register = memory_catalog()._register
    config.repository = AwayCatalog(register)
    config.catalog = CatalogService(config.repository)


async def test_health_tells_of_the_store(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/api/system/health")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "service": "catalog", "database_connection": "ok"}
    assert (await shop.get("/api/ready")).status_code == 200


@pytest.mark.usefixtures("away")
async def test_without_its_store_the_catalog_is_unhealthy_and_unready(
    shop: httpx.AsyncClient,
) -> None:
    health, ready = await shop.get("/api/system/health"), await shop.get("/api/ready")

    assert health.status_code == 503
    assert health.json() == {
        "status": "error",
        "service": "catalog",
        "database_connection": "unavailable",
    }
    assert "Retry-After" in health.headers
    assert ready.status_code == 503
    assert (await shop.get("/api/health")).status_code == 200


async def test_the_root_says_what_this_is(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/api/")

    assert answer.json().items() >= {"service": "catalog"}.items()


async def test_the_metrics_are_true_at_each_scrape(
    shop: httpx.AsyncClient, admin: Headers, add: Add
) -> None:
    cheese = await add(category="Сыры")
    await add(category="Хлеб")
    address = f"/api/products/{cheese['product_id']}"
    before = (await shop.get("/api/metrics")).text

    await shop.delete(address, headers=admin)

    after = (await shop.get("/api/metrics")).text
    assert "products_total 2.0" in before
    assert 'products_by_category{category="Сыры"} 1.0' in before
    assert "products_total 1.0" in after
    assert "Сыры" not in after


async def test_the_cassandra_metrics_are_there_without_cassandra(shop: httpx.AsyncClient) -> None:
    text = (await shop.get("/api/metrics")).text

    # How many there are is said by the other tests of this process that use a real one.
    assert "\ncassandra_connections_active " in text
    assert "# TYPE cassandra_queries_total counter" in text
    assert "# TYPE cassandra_query_duration_seconds histogram" in text


async def test_a_catalog_that_opens_again_starts_fresh(shop: httpx.AsyncClient, add: Add) -> None:
    await add()

    await service.config("catalog").open()

    assert REGISTRY.get_sample_value("products_total") == 0
    assert (await shop.get("/api/products/categories/list")).json() == []


@pytest.mark.parametrize("count", [MAX_CATEGORIES, MAX_CATEGORIES + 5])
def test_a_label_has_a_thousand_values_at_most(count: int) -> None:
    counts = ProductCounts()
    counts.ask = lambda: {f"{number}": number for number in range(1, count + 1)} | {OTHER: 7}

    total, by_category = counts.collect()

    shown = {sample.labels["category"]: sample.value for sample in by_category.samples}
    assert len(shown) <= MAX_CATEGORIES
    assert shown[str(count)] == count
    assert sum(shown.values()) == total.samples[0].value == count * (count + 1) // 2 + 7


async def test_the_openapi_document_has_every_call(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/api/openapi.json", headers={"Accept": "application/json"})

    paths = orjson.loads(answer.content)["paths"]
    calls = {(path.removeprefix("/api"), verb) for path in paths for verb in paths[path]}
    assert calls >= {
        ("/products/", "get"),
        ("/products/", "post"),
        ("/products/{product_id}", "get"),
        ("/products/{product_id}", "put"),
        ("/products/{product_id}", "delete"),
        ("/products/categories/list", "get"),
        ("/products/by-category/{category}", "get"),
        ("/system/health", "get"),
    }
