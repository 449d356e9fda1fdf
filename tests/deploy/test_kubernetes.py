"""The manifests are valid, fit together, and keep the same promises as the compose file."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.local.layout import PROJECT
from tests.deploy.compose import SERVICES
from tests.deploy.manifests import BASE, SEVERAL, Manifest, documents, of_kind, pods

KUBERNETES = "1.33"
NGINX = PROJECT / "deploy" / "nginx"
# Either has the whole of it; kubectl's is a little older.
KUSTOMIZE = next(
    (
        words
        for words in (["kustomize", "build"], ["kubectl", "kustomize"])
        if shutil.which(words[0])
    ),
    None,
)
PARTS = ("gateway", *SERVICES)


def is_selected(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


def labels_of(name: str) -> dict[str, str]:
    running = of_kind("Deployment", "StatefulSet")
    template = next(each for each in running if each["metadata"]["name"] == name)
    return dict(template["spec"]["template"]["metadata"]["labels"])


@pytest.mark.parametrize(
    "document", documents(), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}"
)
def test_a_manifest_is_what_kubernetes_expects(document: dict[str, Any]):
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_the_five_parts_are_there():
    assert set(pods()) == set(PARTS)


@pytest.mark.parametrize("name", PARTS)
def test_a_pod_fits_the_restricted_profile(name: str):
    pod = pods()[name]
    [container] = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "shop"


@pytest.mark.parametrize("name", PARTS)
def test_a_container_is_probed_limited_and_pinned(name: str):
    [container] = pods()[name]["containers"]

    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]
    assert container["image"].rpartition(":")[2] not in {"", "latest"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_restarted_when_it_is_dead_and_left_alone_when_it_is_not_ready(name: str):
    [container] = pods()[name]["containers"]

    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"


@pytest.mark.parametrize("name", PARTS)
def test_a_service_leads_to_its_pods(name: str):
    service = next(each for each in of_kind("Service") if each["metadata"]["name"] == name)
    [container] = pods()[name]["containers"]
    [port] = service["spec"]["ports"]
    named = {each["name"]: each["containerPort"] for each in container["ports"]}

    assert is_selected(service["spec"]["selector"], labels_of(name))
    assert [other for other in PARTS if is_selected(service["spec"]["selector"], labels_of(other))]
    assert port["targetPort"] in named
    if name in SERVICES:
        assert port["port"] == named["http"] == SERVICES[name]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_what_runs_pods_selects_its_own(kind: str):
    for each in of_kind(kind):
        wanted = each["spec"]["selector"]["matchLabels"]

        assert is_selected(wanted, each["spec"]["template"]["metadata"]["labels"])


def test_every_part_has_a_disruption_budget():
    budgets = of_kind("PodDisruptionBudget")

    for name in PARTS:
        selectors = [each["spec"]["selector"]["matchLabels"] for each in budgets]
        assert sum(is_selected(each, labels_of(name)) for each in selectors) == 1


def test_what_keeps_its_own_data_is_one_and_has_a_volume():
    for each in of_kind("StatefulSet"):
        [claim] = each["spec"]["volumeClaimTemplates"]
        [container] = each["spec"]["template"]["spec"]["containers"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}

        assert each["spec"]["replicas"] == 1
        assert mounts[claim["metadata"]["name"]] == "/srv/data"
    assert {each["metadata"]["name"] for each in of_kind("StatefulSet")} == set(SERVICES) - {
        "backend"
    }


def test_every_volume_that_is_mounted_is_there():
    for each in of_kind("Deployment", "StatefulSet"):
        pod = each["spec"]["template"]["spec"]
        claims = each["spec"].get("volumeClaimTemplates", [])
        there = {volume["name"] for volume in pod.get("volumes", [])}
        there |= {claim["metadata"]["name"] for claim in claims}

        mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}

        assert mounted == there


def may_call(caller: str, callee: str) -> bool:
    """By both policies: the caller may go out, the callee lets in."""
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind("NetworkPolicy")}
    out = [
        is_selected(peer["podSelector"]["matchLabels"], labels_of(callee))
        for rule in policies[caller]["egress"]
        for peer in rule.get("to", [])
    ]
    into = [
        is_selected(peer["podSelector"]["matchLabels"], labels_of(caller))
        for rule in policies[callee]["ingress"]
        for peer in rule.get("from", [])
        if "podSelector" in peer
    ]
    assert any(out) == any(into), f"{caller} -> {callee}: the two policies disagree"
    return any(out)


def test_nothing_is_allowed_that_is_not_said():
    policy = next(
        each["spec"]
        for each in of_kind("NetworkPolicy")
        if each["metadata"]["name"] == "default-deny"
    )

    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_who_talks_to_whom_is_the_picture_of_the_readme():
    calls = {(one, other) for one in PARTS for other in PARTS if may_call(one, other)}

    assert calls == {
        *(("gateway", name) for name in SERVICES),
        ("backend", "user-service"),  # people who sign in on its pages
        ("cart-service", "backend"),
        ("cart-service", "order-service"),
        ("cart-service", "user-service"),
        ("order-service", "backend"),
        ("order-service", "user-service"),
        ("user-service", "cart-service"),
        ("user-service", "order-service"),
    }


def test_a_policy_opens_the_port_that_is_served():
    for each in of_kind("NetworkPolicy"):
        name = each["metadata"]["name"]
        if name in SERVICES:
            [rule] = each["spec"]["ingress"]
            assert rule["ports"] == [{"protocol": "TCP", "port": SERVICES[name]}]


def test_the_whole_configuration_of_the_gateway_is_mounted():
    generated = yaml.safe_load((NGINX / "kustomization.yaml").read_text())["configMapGenerator"]
    keys = {}
    for entry in generated[0]["files"]:
        key, equals, file = entry.rpartition("=")
        keys[key if equals else Path(file).name] = file
    volumes = {each["name"]: each for each in pods()["gateway"]["volumes"]}
    mounted = {item["key"]: item["path"] for item in volumes["configuration"]["configMap"]["items"]}
    files = {str(file.relative_to(NGINX)) for file in NGINX.rglob("*") if file.is_file()}

    assert mounted == keys
    assert set(keys.values()) == files - {"kustomization.yaml"}


def test_no_key_is_in_the_manifests():
    assert of_kind("Secret") == []
    for file in (PROJECT / "deploy" / "kubernetes").rglob("*.yaml"):
        assert "SECRET_KEY: " not in file.read_text()


def example_of(folder: Path, *components: str) -> list[Manifest]:
    """What kustomize makes of the example with these components."""
    if KUSTOMIZE is None:
        pytest.skip("there is neither kustomize nor kubectl on the path")
    shutil.copytree(BASE.parent, folder / "kubernetes")
    shutil.copytree(NGINX, folder / "nginx")
    example = folder / "kubernetes" / "example"
    (example / "secret.env").write_text("SECRET_KEY=only for this test\n")
    file = example / "kustomization.yaml"
    chosen = yaml.safe_load(file.read_text()) | {
        "components": [f"../{each}" for each in components]
    }
    file.write_text(yaml.safe_dump(chosen))

    built = subprocess.run([*KUSTOMIZE, example], check=False, capture_output=True, text=True)

    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


@pytest.mark.parametrize("components", [(), SEVERAL], ids=["one of each", "several"])
def test_kustomize_makes_of_the_example_what_kubernetes_expects(
    tmp_path: Path, components: tuple[str, ...]
):
    made = example_of(tmp_path, *components)

    for document in made:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    kinds = [each["kind"] for each in made]
    assert kinds.count("Secret") == 1
    assert kinds.count("Ingress") == 1
    assert kinds.count("ConfigMap") == 3


@pytest.mark.parametrize("components", [(), SEVERAL], ids=["one of each", "several"])
def test_kustomize_makes_of_the_example_what_these_tests_read(
    tmp_path: Path, components: tuple[str, ...]
):
    made = example_of(tmp_path, *components)

    specs = {(each["kind"], each["metadata"]["name"]): each.get("spec") for each in made}
    for each in documents(*components):
        if each["kind"] in {"NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler"}:
            assert specs[each["kind"], each["metadata"]["name"]] == each["spec"]
        elif each["kind"] in {"Deployment", "StatefulSet"}:
            there = specs[each["kind"], each["metadata"]["name"]]
            assert there.get("replicas") == each["spec"].get("replicas")
            assert settled(there) == settled(each["spec"])
    running = [kind for kind, _ in specs if kind in {"Deployment", "StatefulSet"}]
    assert len(running) == len(PARTS)


def settled(spec: Manifest) -> Manifest:
    """A pod's spec without what has a generated name or the example's own image."""
    pod = spec["template"]["spec"]
    [container] = pod["containers"]
    named = {"image", "envFrom"}
    own = {name: value for name, value in container.items() if name not in named}
    return pod | {"containers": [own], "volumes": len(pod["volumes"])}
