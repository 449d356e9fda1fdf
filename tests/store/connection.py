"""One HTTP request as a server speaks it to an ASGI application, message by message."""

import asyncio
from typing import Any

from store.asgi import application

Message = dict[str, Any]
Headers = list[tuple[bytes, bytes]]

GONE: Message = {"type": "http.disconnect"}


def chunk(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


class Connection:
    """Gives the application ``messages``; after them the client is silent until it ``leaves``."""

    def __init__(
        self,
        method: str,
        path: str,
        *messages: Message,
        headers: Headers | None = None,
        query: bytes = b"",
    ) -> None:
        self.sent: list[Message] = []
        self._left = asyncio.Event()
        self._messages = list(messages) or [chunk(b"")]
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": headers or [],
            "client": ("127.0.0.1", 40000),
            "root_path": "",
        }

    async def run(self) -> "Connection":
        await application(self.scope, self._receive, self._send)
        return self

    def leave(self) -> None:
        self._left.set()

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    async def _receive(self) -> Message:
        if self._messages:
            return self._messages.pop(0)
        await self._left.wait()
        return GONE

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
