"""Several containers of each service: when there may be, and what the engine calls them."""

from collections.abc import Mapping

from deploy.local.layout import ADDRESS_SETTINGS, CannotStart

CONTAINERS = dict(
    zip(ADDRESS_SETTINGS, ("backend", "cart-service", "order-service", "user-service"), strict=True)
)
PORTS = dict(zip(ADDRESS_SETTINGS, (8000, 8001, 8002, 8003), strict=True))
OWN_CASSANDRA = "cassandra"
SEPARATORS = {"docker": "-", "podman": "_"}


def instances(environment: Mapping[str, str]) -> int:
    """How many of each service. Raises CannotStart where there can be one only."""
    text = environment.get("INSTANCES") or "1"
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise CannotStart(f"INSTANCES is {text!r}; it is a number of containers, 1 or more.")
    if int(text) > 1 and environment.get("STORE", "").strip().lower() != "cassandra":
        raise CannotStart(
            f"INSTANCES={text} needs STORE=cassandra: in memory each would be a shop of its own."
        )
    return int(text)


def addresses(environment: Mapping[str, str], binary: str) -> dict[str, str]:
    """The compose file's variables BACKEND_URLS ...; nothing where there is one of each.

    By the names of the containers: who asks for a service's name gets all their addresses in
    one order, and would ask the first alone.
    """
    count = instances(environment)
    if count == 1:
        return {}
    parts = environment.get("COMPOSE_PROJECT_NAME") or "product-store", SEPARATORS[binary]
    return {
        f"{setting}S": ",".join(_urls(*parts, CONTAINERS[app], PORTS[app], count))
        for app, setting in ADDRESS_SETTINGS.items()
    }


def needs_tables(environment: Mapping[str, str]) -> bool:
    """Two instances that make a table at once, over two nodes of a ring, may make two of it."""
    hosts = environment.get("CASSANDRA_HOST", "")
    return instances(environment) > 1 and hosts != OWN_CASSANDRA


def _urls(project: str, separator: str, service: str, port: int, count: int) -> list[str]:
    names = [separator.join((project, service, str(number))) for number in range(1, count + 1)]
    return [f"http://{name}:{port}" for name in names]
