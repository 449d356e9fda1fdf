"""deploy/compose.yaml as compose programs see it with nothing but the keys in the environment."""

import re
from typing import Any

import yaml

from deploy.local.layout import PROJECT

FILE = PROJECT / "deploy" / "compose.yaml"
SERVICES = {"backend": 8000, "cart-service": 8001, "order-service": 8002, "user-service": 8003}
OURS = (*SERVICES, "gateway")
_DEFAULT = re.compile(r"\$\{(\w+)(?::?-|:\?)?([^}]*)\}")


def services() -> dict[str, dict[str, Any]]:
    """By name, anchors resolved, every variable at its default."""
    return dict(_filled(yaml.safe_load(FILE.read_text())["services"]))


def _filled(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _filled(each) for name, each in node.items()}
    if isinstance(node, list):
        return [_filled(each) for each in node]
    return _DEFAULT.sub(lambda found: found[2], node) if isinstance(node, str) else node


def variables() -> dict[str, str]:
    """Every variable of the file with its default; "" where there is none."""
    return {found[1]: found[2] for found in _DEFAULT.finditer(FILE.read_text())}
