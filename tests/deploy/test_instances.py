"""What `make run INSTANCES=...` lays out, says, and refuses."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import gateway, words
from deploy.local.layout import (
    PORTS,
    PROJECT,
    SERVICES,
    CannotStart,
    Layout,
    check_store,
    layout_from,
    service_environment,
    services_on_cassandra,
)
from deploy.local.ports import check_ports, free_ports
from deploy.local.processes import configuration
from deploy.local.trial import Trial
from deploy.prometheus.local import targets

ON_CASSANDRA = {"STORE": "cassandra", "CASSANDRA_HOST": "127.0.0.1"}


@pytest.fixture
def three(tmp_path: Path) -> Layout:
    return Layout(ports=PORTS, run=tmp_path, instances=3)


def test_the_first_instance_is_on_the_usual_port_and_the_others_a_hundred_apart(
    three: Layout,
) -> None:
    carts = {name: port for name, port in three.processes.items() if name.startswith("carts")}

    assert carts == {"carts-1": 8001, "carts-2": 8101, "carts-3": 8201}
    assert three.url("carts") == "http://127.0.0.1:8001"
    assert len(three.processes) == 3 * len(SERVICES) + 1


def test_one_instance_has_the_name_of_its_service(tmp_path: Path) -> None:
    assert Layout(ports=PORTS, run=tmp_path).processes == PORTS


def test_the_usual_ports_never_meet_however_many_instances_there_are() -> None:
    layout = layout_from({"INSTANCES": "16"})

    assert len(set(layout.processes.values())) == len(layout.processes) == 65


@pytest.mark.parametrize("count", ["0", "17", "-1", "two", "1.5", "٣"])
def test_a_number_of_instances_that_is_none_is_refused(count: str) -> None:
    with pytest.raises(CannotStart, match=r"INSTANCES is .* from 1 to 16"):
        layout_from({"INSTANCES": count})


def test_a_port_after_which_there_are_not_enough_is_refused() -> None:
    with pytest.raises(CannotStart, match="CARTS_PORT is 65500"):
        layout_from({"INSTANCES": "2", "CARTS_PORT": "65500"})


@pytest.mark.parametrize(
    "store", [{}, {"STORE": "cassandra"}, {"CASSANDRA_HOST": "127.0.0.1"}, {"STORE": "memory"}]
)
def test_several_instances_in_memory_are_refused_in_one_sentence(store: dict[str, str]) -> None:
    with pytest.raises(CannotStart, match="INSTANCES=2 needs STORE=cassandra") as problem:
        check_store(store, 2)

    assert str(problem.value).count(".") == 1


def test_one_instance_needs_nothing_and_several_need_cassandra() -> None:
    check_store({}, 1)
    check_store(ON_CASSANDRA | {"STORE": " Cassandra "}, 16)


def test_without_cassandra_the_command_ends_with_the_sentence_and_starts_nothing(
    tmp_path: Path,
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.local"],
        cwd=PROJECT,
        env=dict(os.environ) | {"RUN_DIR": str(tmp_path / "run"), "INSTANCES": "2", "STORE": ""},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("INSTANCES=2 needs STORE=cassandra and CASSANDRA_HOST")
    assert not (tmp_path / "run").exists()


def test_a_taken_port_of_a_further_instance_is_named(tmp_path: Path) -> None:
    ports = dict(zip(PORTS, free_ports(len(PORTS), instances=2), strict=True))
    layout = Layout(ports=ports, run=tmp_path, instances=2)
    check_ports(layout)

    with (
        socket.create_server(("127.0.0.1", ports["orders"] + 100)),
        pytest.raises(CannotStart) as problem,
    ):
        check_ports(layout)

    (said,) = str(problem.value).splitlines()
    assert said.startswith(f"Port {ports['orders'] + 100} is taken (orders-2). ")
    assert said.endswith(f"ORDERS_PORT={ports['orders'] + 1000} INSTANCES=2 make run")


def test_a_service_on_the_port_of_anothers_second_instance_is_refused(tmp_path: Path) -> None:
    shared = {**PORTS, "accounts": PORTS["carts"] + 100}

    with pytest.raises(CannotStart, match="carts-2 and accounts-1"):
        check_ports(Layout(ports=shared, run=tmp_path, instances=2))


def test_supervisord_has_a_program_and_a_log_for_each_instance(three: Layout) -> None:
    conf = configuration(three, gateway=["nginx"], control=Path("control"))

    program = conf["program:orders-3"]
    assert program["command"].endswith(" --port 8202")
    assert program["environment"] == 'DJANGO_SETTINGS_MODULE="store.settings.orders"'
    assert program["stdout_logfile"] == str(three.logs / "orders-3.log")
    assert conf["program:gateway"]["command"] == "nginx"
    assert conf["group:shop"]["programs"].split(",") == list(three.processes)


def test_services_gateway_and_prometheus_know_all_addresses(three: Layout) -> None:
    environment = service_environment(three, secret_key="k" * 64)
    settings = gateway.settings_of(three, {})

    ports = [8001, 8101, 8201]
    assert environment["CART_SERVICE_URL"] == ",".join(f"http://127.0.0.1:{port}" for port in ports)
    assert settings["CARTS_ADDRESS"] == ",".join(f"127.0.0.1:{port}" for port in ports)
    assert {
        "targets": [f"127.0.0.1:{port}" for port in ports],
        "labels": {"service": "carts"},
    } in targets(three)


@pytest.mark.parametrize(
    ("environment", "services"),
    [
        ({}, ()),
        ({"STORE": "cassandra"}, ()),
        ({"CASSANDRA_HOST": "127.0.0.1"}, ("catalog",)),
        (ON_CASSANDRA, SERVICES),
    ],
)
def test_who_is_on_cassandra_follows_from_two_settings(
    environment: dict[str, str], services: tuple[str, ...]
) -> None:
    assert services_on_cassandra(environment) == services


def test_the_words_say_how_many_there_are_and_who_waits_for_what(three: Layout) -> None:
    said = words.open_for_business(three, ON_CASSANDRA, 1.0, "Nobody listens there.")

    assert "All services wait for Cassandra. Nobody listens there." in said
    assert "3 of each service: carts on 8001, 8101, 8201" in said


def test_nothing_is_signalled_while_a_process_is_not_running(tmp_path: Path) -> None:
    layout = Layout(ports=PORTS, run=tmp_path)
    (tmp_path / "supervisord.conf").write_text(f"[unix_http_server]\nfile={tmp_path / 'none'}\n")
    with subprocess.Popen([sys.executable, "-c", ""], text=True) as process:
        trial = Trial(layout, process, said=[])

        with pytest.raises(ProcessLookupError, match="carts-2 is not running"):
            trial.kill("carts-2", 0)
