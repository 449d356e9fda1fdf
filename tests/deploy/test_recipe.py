"""The recipe and the compose file give away no more than they must; read, not run."""

import re
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.local.layout import PROJECT
from deploy.local.layout import SERVICES as APPS
from tests.deploy.compose import FILE, OURS, SERVICES, services, variables

RECIPE = (PROJECT / "deploy" / "containers" / "Containerfile").read_text()
FILES = ("pyproject.toml", "requirements.lock", "manage.py", "store", "audit", "deploy/containers")
IGNORED = (PROJECT / ".containerignore").read_text().split()
README = (PROJECT / "README.md").read_text()
GATEWAY_PAGE = (PROJECT / "docs" / "gateway.md").read_text()
# Given by the compose file itself, or of no use in a container; TLS ends in front of it.
FIXED = {
    *("CATALOG_ADDRESS", "CARTS_ADDRESS", "ORDERS_ADDRESS", "ACCOUNTS_ADDRESS"),
    *("BACKEND_URL", "CART_SERVICE_URL", "ORDER_SERVICE_URL", "USER_SERVICE_URL", "DATA_DIR"),
    *("GATEWAY_LISTEN", "GATEWAY_RUN", "GATEWAY_HTML", "GATEWAY_TLS_CERTIFICATE"),
    "GATEWAY_TLS_KEY",
}
HARDENED = [name for name in services() if name != "cassandra"]


def test_the_image_runs_as_nobody_in_particular():
    users = re.findall(r"^USER (.*)", RECIPE, re.MULTILINE)

    assert users == ["10001:10001"]


def test_an_image_holds_one_app():
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", RECIPE, re.MULTILINE)
    folders = {word for line in copied for word in line.split() if "." not in word}

    assert folders == {"store", "audit", "${APP}"}


def test_packages_come_with_their_hashes_from_the_lock():
    assert "--require-hashes" in RECIPE
    assert "requirements.lock" in RECIPE
    assert RECIPE.count(" install ") == 1


def test_no_key_gets_near_an_image():
    allowed = {word for word in IGNORED if word.startswith("!")}

    assert "*" in IGNORED
    assert "**/.*" in IGNORED
    assert allowed <= {f"!{name}" for name in (*APPS, *FILES)}
    assert not re.search(r"SECRET|PASSWORD|TOKEN", RECIPE)


def test_only_the_gateways_port_is_published_and_to_this_machine_alone():
    published = {name: each["ports"] for name, each in services().items() if "ports" in each}
    named = re.findall(r'ports: \["\$\{(\w+)', FILE.read_text())

    assert published == {"gateway": ["127.0.0.1:80:8080"]}
    assert named == ["GATEWAY_BIND"]


def test_grafana_serves_where_the_gateway_leads_to_it():
    settings = services()["grafana"]["environment"]

    assert urlsplit(settings["GF_SERVER_ROOT_URL"]).path == "/grafana/"
    assert settings["GF_SERVER_SERVE_FROM_SUB_PATH"] == "true"
    assert services()["gateway"]["environment"]["GRAFANA_ADDRESS"] == ""


@pytest.mark.parametrize("name", HARDENED)
def test_a_container_gives_up_root_and_its_file_system(name: str):
    service = services()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] not in {"0", "root"}


@pytest.mark.parametrize("name", services())
def test_a_container_has_limits_and_comes_back(name: str):
    service = services()[name]

    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["restart"] == "unless-stopped"
    assert "privileged" not in service
    assert "network_mode" not in service


@pytest.mark.parametrize("name", services())
def test_an_image_is_pinned_by_version_or_built_here(name: str):
    service = services()[name]
    tag = service["image"].rpartition(":")[2]

    assert ("build" in service) or re.match(r"v?\d+\.\d+", tag), service["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_built_for_its_own_app_and_port(name: str):
    service = services()[name]
    arguments = service["build"]["args"]

    assert arguments["PORT"] == SERVICES[name]
    assert service["image"].split("/")[-1].split(":")[0] == arguments["APP"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_says_whether_it_is_well_and_has_time_to_end(name: str):
    service = services()[name]

    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["stop_grace_period"] == "25s"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_volume_of_its_own(name: str):
    volumes = [each["volumes"][0] for each in services().values() if "volumes" in each]
    own = services()[name]["volumes"]

    assert len(own) == 1
    assert own[0].endswith(":/srv/data")
    assert volumes.count(own[0]) == 1


def test_no_key_stands_in_the_compose_file():
    assert {"SECRET_KEY", "GRAFANA_ADMIN_PASSWORD"} <= variables().keys()
    for name in ("SECRET_KEY", "GRAFANA_ADMIN_PASSWORD"):
        assert variables()[name].startswith("is not set")
    for name in ("SECRET_KEY_FALLBACKS", "CASSANDRA_PASSWORD"):
        assert variables()[name] == ""
    assert "supersecretkey123" not in FILE.read_text()


def test_the_services_know_each_other_by_the_descriptions_names():
    for name in SERVICES:
        environment = services()[name]["environment"]

        assert environment["BACKEND_URL"] == "http://backend:8000"  # of one container each
        assert environment["CART_SERVICE_URL"] == "http://cart-service:8001"
        assert environment["ORDER_SERVICE_URL"] == "http://order-service:8002"
        assert environment["USER_SERVICE_URL"] == "http://user-service:8003"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_can_be_on_cassandra_and_is_told_so_by_one_setting(name: str):
    service = services()[name]

    assert service["networks"] == services()["gateway"]["networks"] + ["data"]
    assert service["depends_on"]["cassandra"] == {"condition": "service_healthy", "required": False}
    assert service["environment"]["CASSANDRA_HOST"] == "cassandra"
    assert service["environment"]["STORE"] == "memory"


def test_the_services_alone_may_be_several():
    several = {name for name, each in services().items() if "scale" in each}

    assert several == set(SERVICES)
    assert {services()[name]["scale"] for name in several} == {"1"}
    assert FILE.read_text().count("${INSTANCES:-1}") == 1
    assert not [name for name, each in services().items() if "container_name" in each]


def test_demo_mode_is_off_until_it_is_asked_for():
    assert variables()["DEMO"] == "0"


def settings_of(page: str) -> set[str]:
    """What a page's table of settings names in its first column."""
    rows = re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}


@pytest.mark.parametrize("page", [README, GATEWAY_PAGE], ids=["services", "gateway"])
def test_every_setting_reaches_the_containers(page: str):
    named = settings_of(page)

    assert len(named) > 15
    assert named - FIXED <= variables().keys()


def test_grafana_finds_its_provisioning_and_prometheus():
    folder = PROJECT / "deploy" / "grafana" / "provisioning"
    provider = yaml.safe_load((folder / "dashboards" / "shop.yml").read_text())["providers"][0]
    source = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())
    mounted = {
        place.split(":")[0]: place.split(":")[1] for place in services()["grafana"]["volumes"]
    }

    assert mounted["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert mounted["./grafana/dashboards"] == provider["options"]["path"]
    assert urlsplit(source["datasources"][0]["url"]).hostname in services()


def test_the_gateways_health_check_asks_for_the_gateway_alone():
    assert services()["gateway"]["healthcheck"]["test"][1].endswith(":8080/health")
