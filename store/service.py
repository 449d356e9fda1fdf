"""What one service of the shop is: an app that opens, tells whether it is ready, and closes."""

from typing import cast

from django.apps import AppConfig, apps
from django.conf import settings

from store.journal import Journal


class ServiceConfig(AppConfig):
    """The base of the four composition roots.

    In an ``apps.py`` import this module, not the class: with two AppConfigs in sight Django
    silently takes a plain one.
    """

    about = ""
    journal: Journal | None = None

    @property
    def is_in_memory(self) -> bool:
        """Whether it keeps its state itself, and with DATA_DIR a journal of it."""
        return True

    async def open(self) -> None:
        """Builds repository, clients and service from the settings and starts what runs on."""

    async def close(self) -> None:
        """Finishes what is in flight and stops the background tasks."""

    def unready(self) -> str | None:
        """Why no traffic may come now, or None."""
        return None

    def begin_drain(self) -> None:
        """The process was told to stop: ends streams, so that connections can close."""


class State:
    """Where this process stands between its start and its end."""

    def __init__(self) -> None:
        self.is_open = False
        self.is_draining = False

    def why_unready(self, name: str) -> str | None:
        if self.is_draining:
            return "The service is stopping."
        if not self.is_open:
            return "The service is starting."
        service = config(name)
        return service.unready() or (service.journal.unready() if service.journal else None)

    def is_ready(self) -> bool:
        """Whether every service of this process takes traffic."""
        return all(self.why_unready(each.label) is None for each in configs())


state = State()


def config(name: str) -> ServiceConfig:
    return cast(ServiceConfig, apps.get_app_config(name))


def configs() -> list[ServiceConfig]:
    """The services of this process, in the order in which they open."""
    return [config(name) for name in settings.SERVICES]
