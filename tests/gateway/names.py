"""A name server for one name, whose address changes when a test says so."""

import socket
import struct
import threading
from types import TracebackType

NAME = "catalog.store.test"
A, NO_ERROR, NO_SUCH_NAME = 1, 0x8180, 0x8183


class NameServer:
    """Answers what ``address`` says; empty: there is no such name."""

    def __init__(self, address: str = "") -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> "NameServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            if not query:
                return
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query: bytes) -> bytes:
        """The question again, and one A record good for a second."""
        question = query[12 : query.index(b"\0", 12) + 5]
        (kind,) = struct.unpack(">H", question[-4:-2])
        record = b""
        if kind == A and self.address:
            head = struct.pack(">HHHIH", 0xC00C, A, 1, 1, 4)
            record = head + socket.inet_aton(self.address)
        flags = NO_ERROR if self.address else NO_SUCH_NAME
        return query[:2] + struct.pack(">HHHHH", flags, 1, bool(record), 0, 0) + question + record
