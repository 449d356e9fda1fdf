"""deploy/kubernetes/base put together as kustomize would, without kustomize: files and patches.

Generated names (the hashes of ConfigMaps) are left out.
"""

from functools import cache
from typing import Any

import yaml

from deploy.local.layout import PROJECT

Manifest = dict[str, Any]
BASE = PROJECT / "deploy" / "kubernetes" / "base"


@cache
def documents() -> list[Manifest]:
    """Read once; nobody changes them."""
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    names = [name for name in kustomization["resources"] if name.endswith(".yaml")]
    found = [each for name in names for each in yaml.safe_load_all((BASE / name).read_text())]
    for patch in kustomization["patches"]:
        for each in found:
            if _is_meant(patch["target"], each):
                _add(each, yaml.safe_load((BASE / patch["path"]).read_text()))
    return [each | {"metadata": _placed(each, kustomization["namespace"])} for each in found]


def of_kind(*kinds: str) -> list[Manifest]:
    return [each for each in documents() if each["kind"] in kinds]


def pods() -> dict[str, Manifest]:
    """The specs of the pods by the name of what runs them."""
    running = of_kind("Deployment", "StatefulSet")
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in running}


def _is_meant(target: dict[str, str], manifest: Manifest) -> bool:
    name = manifest["metadata"]["name"]
    return manifest["kind"] == target["kind"] and name == target.get("name", name)


def _add(manifest: Manifest, operations: list[Manifest]) -> None:
    """JSON Patch, of which only "add" to an object is used."""
    for operation in operations:
        assert operation["op"] == "add"
        *way, last = operation["path"].strip("/").split("/")
        node: Any = manifest
        for step in way:
            node = node[int(step)] if step.isdigit() else node[step]
        node[last] = operation["value"]


def _placed(manifest: Manifest, namespace: str) -> Manifest:
    outside = manifest["kind"] == "Namespace"
    return dict(manifest["metadata"]) | ({} if outside else {"namespace": namespace})
