"""deploy/kubernetes put together as kustomize would, without kustomize: files and patches.

Generated names (the hashes of ConfigMaps) are left out, and ConfigMaps with them.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deploy.local.layout import PROJECT

Manifest = dict[str, Any]
FOLDER = PROJECT / "deploy" / "kubernetes"
BASE = FOLDER / "base"
SEVERAL = ("several-instances", "requests-in-flight")


@cache
def documents(*components: str) -> list[Manifest]:
    """The base, with these components of the folder. Read once; nobody changes them."""
    found = _added([], BASE)
    for name in components:
        found = _added(found, FOLDER / name)
    namespace = yaml.safe_load((BASE / "kustomization.yaml").read_text())["namespace"]
    return [each | {"metadata": _placed(each, namespace)} for each in found]


def of_kind(*kinds: str, among: tuple[str, ...] = ()) -> list[Manifest]:
    return [each for each in documents(*among) if each["kind"] in kinds]


def pods(*components: str) -> dict[str, Manifest]:
    """The specs of the pods by the name of what runs them."""
    running = of_kind("Deployment", "StatefulSet", among=components)
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in running}


def _added(found: list[Manifest], folder: Path) -> list[Manifest]:
    """``found`` after a folder's own resources, its components and its patches."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    names = [name for name in kustomization.get("resources", []) if name.endswith(".yaml")]
    found = found + [
        each for name in names for each in yaml.safe_load_all((folder / name).read_text())
    ]
    for component in kustomization.get("components", []):
        found = _added(found, folder / component)
    for patch in kustomization.get("patches", []):
        change = yaml.safe_load((folder / patch["path"]).read_text())
        meant = [each for each in found if _is_meant(patch["target"], each)]
        assert meant, f"{patch} is meant for nothing"
        if isinstance(change, dict):
            assert change["$patch"] == "delete"
            found = [each for each in found if each not in meant]
        else:
            for each in meant:
                _change(each, change)
    return found


def _is_meant(target: dict[str, str], manifest: Manifest) -> bool:
    name = manifest["metadata"]["name"]
    return manifest["kind"] == target["kind"] and bool(re.fullmatch(target.get("name", ".*"), name))


def _change(manifest: Manifest, operations: list[Manifest]) -> None:
    """JSON Patch, of which only "add", also to the end of a list, and "remove" are used."""
    for operation in operations:
        *way, last = operation["path"].strip("/").split("/")
        node: Any = manifest
        for step in way:
            node = node[int(step)] if step.isdigit() else node[step]
        if operation["op"] == "remove":
            del node[last]
        else:
            assert operation["op"] == "add"
            _add(node, last, operation["value"])


def _add(node: Any, name: str, value: Any) -> None:
    if name == "-":
        node.append(value)
    else:
        node[name] = value


def _placed(manifest: Manifest, namespace: str) -> Manifest:
    outside = manifest["kind"] == "Namespace"
    return dict(manifest["metadata"]) | ({} if outside else {"namespace": namespace})
