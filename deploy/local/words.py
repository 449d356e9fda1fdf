"""What the shop says when its doors are open."""

from collections.abc import Mapping

from deploy.local.layout import PREFIXES, SERVICES, Layout, is_demo, services_on_cassandra

DEMO_LOGINS = """\
  Log in as      swagger_user / password123, or the admin swagger_admin / admin123
                 (demo mode: on this machine only)
"""


def open_for_business(
    layout: Layout, environment: Mapping[str, str], seconds: float, missing: str | None
) -> str:
    """Where to look, and who to be; ``missing``: why Cassandra cannot be used yet."""
    door = f"http://localhost:{layout.ports['gateway']}"
    first, *others = SERVICES
    prefixes = ", ".join(f"{PREFIXES[name]}/" for name in others)
    ports = ", ".join(str(layout.ports[name]) for name in others)
    waits = f"  {_who_waits(environment)} for Cassandra. {missing}\n" if missing else ""
    return (
        f"The shop is open after {seconds:.1f} s: {door}/\n"
        f"{waits}"
        f"  Try the API    {door}/swagger/\n"
        f"  Admin pages    {door}{PREFIXES[first]}/admin/ and under {prefixes}\n"
        f"  Metrics        http://localhost:{layout.ports[first]}/metrics and on {ports}\n"
        f"{_instances(layout)}"
        f"  Logs           {layout.logs}\n"
        f"{DEMO_LOGINS if is_demo(environment) else ''}"
        f"Ctrl-C closes it."
    )


def _who_waits(environment: Mapping[str, str]) -> str:
    names = services_on_cassandra(environment)
    return "All services wait" if len(names) == len(SERVICES) else f"The {names[0]} waits"


def _instances(layout: Layout) -> str:
    if layout.instances == 1:
        return ""
    ports = ", ".join(map(str, layout.ports_of("carts")))
    return (
        f"  Instances      {layout.instances} of each service: carts on {ports}, others likewise\n"
    )
