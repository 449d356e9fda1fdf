"""What every service answers about itself."""

import httpx
import pytest

from store import service


class FakeConfig:
    label = "catalog"
    about = "A service for tests."
    reason: str | None = None
    journal = None

    def unready(self) -> str | None:
        return self.reason


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> FakeConfig:
    """The service of this process, open and ready."""
    config, state = FakeConfig(), service.State()
    state.is_open = True
    monkeypatch.setattr(service, "config", lambda _: config)
    monkeypatch.setattr(service, "state", state)
    return config


async def test_an_open_service_is_ready(config: FakeConfig, client: httpx.AsyncClient) -> None:
    response = await client.get("/ready")

    assert response.status_code == 200
    assert response.json() == {"status": "ready", "service": "catalog"}


@pytest.mark.parametrize(
    ("is_open", "is_draining", "reason", "said"),
    [
        (False, False, None, "The service is starting."),
        (True, True, None, "The service is stopping."),
        (True, False, "The store is away.", "The store is away."),
        (False, True, "The store is away.", "The service is stopping."),
    ],
)
async def test_a_service_that_starts_stops_or_lost_its_store_is_not_ready(
    config: FakeConfig,
    client: httpx.AsyncClient,
    is_open: bool,
    is_draining: bool,
    reason: str | None,
    said: str,
) -> None:
    service.state.is_open, service.state.is_draining, config.reason = is_open, is_draining, reason

    response = await client.get("/ready")

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json() == {
        "detail": said,
        "code": "unavailable",
        "status": "unready",
        "service": "catalog",
    }


async def test_a_service_that_is_not_ready_is_alive(
    config: FakeConfig, client: httpx.AsyncClient
) -> None:
    service.state.is_open, config.reason = False, "The store is away."

    response = await client.get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok", "service": "catalog"})


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_probes_ask_for_no_credentials_and_look_at_none(
    config: FakeConfig, client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(path, headers={"Authorization": "Bearer junk"})

    assert response.status_code == 200


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE django_http_requests_total_by_method_total counter" in response.text


@pytest.mark.parametrize("prefix", ["/api", "/cart-api", "/order-api", "/user-api"])
async def test_the_root_says_which_service_it_is_and_where_to_look_further(
    shop: httpx.AsyncClient, prefix: str
) -> None:
    root = (await shop.get(f"{prefix}/")).json()

    assert {"service", "version", "docs", "openapi", "about"} <= root.keys()
    assert (root["docs"], root["openapi"]) == (f"{prefix}/docs/", f"{prefix}/openapi.json")
    assert root["about"]
    assert (await shop.get(f"{prefix}/ready")).status_code == 200
