"""A service of a few endpoints, for what all services have in common."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path

from store import fields, system
from store.answers import Response
from store.api import APIView
from store.permissions import AllowAny, IsAdmin, IsCaller, IsPerson, IsService
from store.request import Request


class LineSerializer(fields.Serializer):
    name = fields.TextField(max_length=20)
    quantity = fields.IntegerField(min_value=1, max_value=10)


class BasketSerializer(fields.Serializer):
    items = LineSerializer(many=True)


class Lines(APIView):
    permission_classes = [AllowAny]
    inputs = {"POST": LineSerializer}

    async def get(self, request: Request) -> Response:
        return Response({"Это": "кириллица"})

    async def post(self, request: Request) -> Response:
        return Response(self.body(request), status=201)

    async def delete(self, request: Request) -> Response:
        return Response(status=204)


class Line(APIView):
    permission_classes = [AllowAny]

    async def get(self, request: Request, line_id: UUID) -> Response:
        return Response({"id": line_id})


class Baskets(APIView):
    permission_classes = [AllowAny]
    inputs = {"POST": BasketSerializer}

    async def post(self, request: Request) -> Response:
        return Response(self.body(request))


class Checkout(APIView):
    permission_classes = [AllowAny]

    async def post(self, request: Request) -> Response:
        self.no_body(request)
        return Response({"message": "done"})


class Who(APIView):
    """Says who is calling; each of its routes asks for another permission."""

    permission_classes = [IsCaller]

    async def get(self, request: Request) -> Response:
        caller = request.user
        who = {"username": caller.username, "admin": caller.is_admin, "service": caller.service}
        return Response(who)


class Broken(APIView):
    permission_classes = [AllowAny]

    async def get(self, request: Request) -> Response:
        raise RuntimeError("the password is hunter2")


class Gate:
    """Where a view waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.passed = asyncio.Event()


gate = Gate()


class Slow(APIView):
    permission_classes = [AllowAny]

    async def post(self, request: Request) -> Response:
        gate.reached.set()
        await gate.opened.wait()
        gate.passed.set()
        return Response({"message": "done"})


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        try:
            yield b"data: 1\n\n"
            gate.reached.set()
            await gate.opened.wait()
            yield b"data: 2\n\n"
        finally:
            gate.passed.set()

    return StreamingHttpResponse(parts(), content_type="text/event-stream")


async def broken_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        raise RuntimeError("the stream broke")

    return StreamingHttpResponse(parts(), content_type="text/event-stream")


async def plain_broken(request: HttpRequest) -> Any:
    raise RuntimeError("the password is hunter2")


def who(*permissions: Any) -> Any:
    return Who.as_view(permission_classes=list(permissions))


urlpatterns = [
    path("lines", Lines.as_view(), name="line-list"),
    path("lines/<uuid:line_id>", Line.as_view(), name="line-detail"),
    path("baskets", Baskets.as_view(), name="basket-list"),
    path("checkout", Checkout.as_view(), name="checkout"),
    path("anyone", who(AllowAny), name="anyone"),
    path("caller", who(IsCaller), name="caller"),
    path("person", who(IsPerson), name="person"),
    path("admin-only", who(IsAdmin), name="admin-only"),
    path("service-only", who(IsService), name="service-only"),
    path("person-or-admin", who(IsPerson | IsAdmin), name="person-or-admin"),
    path("broken", Broken.as_view(), name="broken"),
    path("plain-broken", plain_broken, name="plain-broken"),
    path("slow", Slow.as_view(), name="slow"),
    path("stream", stream, name="stream"),
    path("broken-stream", broken_stream, name="broken-stream"),
    path("health", system.health, name="health"),
    path("ready", system.ready, name="ready"),
    path("metrics", system.metrics, name="metrics"),
]
