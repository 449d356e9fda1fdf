"""deploy/kubernetes with several pods of every service, on Cassandra: what changes then."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.containers.gunicorn_conf import graceful_timeout
from tests.deploy.compose import SERVICES
from tests.deploy.manifests import FOLDER, SEVERAL, Manifest, documents, of_kind, pods
from tests.deploy.test_kubernetes import KUBERNETES, PARTS, is_selected


def named(kind: str, name: str) -> Manifest:
    """The one manifest of this kind and name."""
    [found] = [each for each in of_kind(kind, among=SEVERAL) if each["metadata"]["name"] == name]
    return found


@pytest.mark.parametrize(
    "document", documents(*SEVERAL), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}"
)
def test_a_manifest_is_what_kubernetes_expects(document: dict[str, Any]):
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_nothing_keeps_its_own_data():
    assert of_kind("StatefulSet", among=SEVERAL) == []
    assert set(pods(*SEVERAL)) == set(PARTS)
    for pod in pods(*SEVERAL).values():
        assert not [each for each in pod["volumes"] if "persistentVolumeClaim" in each]


def test_the_services_are_told_so():
    folder = FOLDER / SEVERAL[0]
    [generated] = yaml.safe_load((folder / "kustomization.yaml").read_text())["configMapGenerator"]

    assert generated == {"name": "shop", "behavior": "merge", "literals": ["STORE=cassandra"]}


@pytest.mark.parametrize("name", PARTS)
def test_a_new_pod_serves_before_an_old_one_ends(name: str):
    deployment = named("Deployment", name)

    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


@pytest.mark.parametrize("name", PARTS)
def test_a_pod_serves_on_until_nobody_asks_it_and_has_time_to_end(name: str):
    pod = pods(*SEVERAL)[name]
    [container] = pod["containers"]
    word, seconds = container["lifecycle"]["preStop"]["exec"]["command"]

    assert word == "sleep"
    ending = graceful_timeout if name in SERVICES else 12  # nginx: worker_shutdown_timeout
    assert pod["terminationGracePeriodSeconds"] > int(seconds) + ending


@pytest.mark.parametrize("name", SERVICES)
def test_its_pod_is_the_one_of_a_single_instance_otherwise(name: str):
    own, several = pods()[name]["containers"][0], pods(*SEVERAL)[name]["containers"][0]

    differs = {"lifecycle", "resources", "volumeMounts"}
    assert {key: own[key] for key in own.keys() - differs} == {
        key: several[key] for key in several.keys() - differs
    }


@pytest.mark.parametrize("name", PARTS)
def test_pods_stand_apart_by_machine(name: str):
    labels = named("Deployment", name)["spec"]["template"]["metadata"]["labels"]
    spread = pods(*SEVERAL)[name]["topologySpreadConstraints"]

    assert "kubernetes.io/hostname" in {each["topologyKey"] for each in spread}
    for each in spread:
        assert is_selected(each["labelSelector"]["matchLabels"], labels)
        assert each["whenUnsatisfiable"] == "ScheduleAnyway"


@pytest.mark.parametrize("name", PARTS)
def test_one_pod_stays_whatever_is_emptied(name: str):
    assert named("PodDisruptionBudget", name)["spec"] == {
        "minAvailable": 1,
        "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
    }


@pytest.mark.parametrize("name", SERVICES)
def test_how_many_there_are_is_the_autoscalers_to_say(name: str):
    scaler = named("HorizontalPodAutoscaler", name)["spec"]

    assert scaler["scaleTargetRef"]["name"] == name
    assert scaler["minReplicas"] == 2
    assert "replicas" not in named("Deployment", name)["spec"]
    assert [each["type"] for each in scaler["metrics"]] == ["Resource", "Pods"]
    assert scaler["metrics"][1]["pods"]["metric"] == {"name": "http_requests_in_flight"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_may_go_to_cassandra(name: str):
    label = {"app.kubernetes.io/name": name}
    ports = [
        port["port"]
        for each in of_kind("NetworkPolicy", among=SEVERAL)
        if may_be(each["spec"]["podSelector"], label)
        for rule in each["spec"].get("egress", [])
        if "to" not in rule
        for port in rule["ports"]
    ]

    assert ports == [9042]


def may_be(selector: Manifest, labels: dict[str, str]) -> bool:
    if "matchExpressions" in selector:
        [only] = selector["matchExpressions"]
        return only["operator"] == "In" and labels[only["key"]] in only["values"]
    return bool(selector) and is_selected(selector["matchLabels"], labels)
