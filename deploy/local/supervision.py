"""supervisord, which starts a process again that was killed: started, asked, found again."""

import configparser
import ctypes
import signal
import socket
import subprocess
import sys
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, cast

from deploy.local.layout import PROJECT, Layout
from deploy.local.processes import configuration


@dataclass(frozen=True, slots=True)
class Process:
    """One of the shop's processes as supervisord sees it."""

    name: str
    pid: int
    has_ended_before: bool


class Supervisor:
    """A supervisord of our own, and what it tells."""

    def __init__(self, layout: Layout, *, control: Path) -> None:
        """``control`` is its socket; a path of less than 90 characters."""
        self._configuration = layout.run / "supervisord.conf"
        self._layout = layout
        self._control = control

    def start(
        self, gateway: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Ctrl-C in the terminal does not reach it: it is told to stop by its parent."""
        with self._configuration.open("w") as file:
            configuration(self._layout, gateway=gateway, control=self._control).write(file)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._configuration)]
        with (self._layout.logs / "supervisord.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                command,
                cwd=PROJECT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # there are no threads here
            )

    @classmethod
    def of_running(cls, layout: Layout) -> "Supervisor":
        """The one of a shop that is open already. Raises KeyError when none was started."""
        conf = configparser.RawConfigParser()
        conf.read(layout.run / "supervisord.conf")
        control = conf["unix_http_server"]["file"].replace("%%", "%")
        return cls(layout, control=Path(control))

    def processes(self) -> list[Process]:
        """None of them while supervisord does not listen, at its start and its end."""
        try:
            with xmlrpc.client.ServerProxy("http://-", transport=_Unix(self._control)) as daemon:
                facts = cast(list[dict[str, Any]], daemon.supervisor.getAllProcessInfo())
        except (OSError, HTTPException, xmlrpc.client.Error):
            return []
        return [
            Process(name=each["name"], pid=each["pid"], has_ended_before=bool(each["stop"]))
            for each in facts
        ]


def _end_with_parent() -> None:
    """Linux: should we be killed outright, the shop does not outlive us."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class _Unix(xmlrpc.client.Transport):
    """XML-RPC through a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> HTTPConnection:
        connection = _UnixConnection(self._path)
        self._connection = host, connection  # where close() looks for it
        return connection


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
