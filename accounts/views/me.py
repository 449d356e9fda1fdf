"""What belongs to the caller: the user, and the cart and orders that other services keep."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from accounts import serializers
from accounts.apps import accounts
from accounts.domain import OrderStatus, User
from accounts.serializers import kept_user_json, profile_json, user_json
from store.answers import Response
from store.api import APIView
from store.http import PASSED_ON, Answer
from store.idempotency import idempotency_key
from store.permissions import IsPerson
from store.request import Request

NEXT_PAGE = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')


async def current_user(request: Request) -> User:
    """The user of the request's token. Raises UnknownPerson."""
    return await accounts().people.known(request.user.username)


class Me(APIView):
    permission_classes = [IsPerson]
    inputs = {"PUT": serializers.PersonSerializer}

    @extend_schema(summary="Yourself", responses={200: serializers.UserSerializer})
    async def get(self, request: Request) -> Response:
        return Response(kept_user_json(await current_user(request)))

    @extend_schema(
        summary="Change your name or phone; what is left out stays",
        responses={200: serializers.UserSerializer},
    )
    async def put(self, request: Request) -> Response:
        data = self.body(request)
        return Response(user_json(await accounts().people.change(request.user.username, **data)))


class MyProfile(APIView):
    permission_classes = [IsPerson]

    @extend_schema(
        summary="Yourself with your cart's total and your orders",
        description="The part of a service that is away is empty, and `unavailable` names it.",
        responses={200: serializers.ProfileSerializer},
    )
    async def get(self, request: Request) -> Response:
        user = await current_user(request)
        profile = await accounts().overview.profile(user.username)
        return Response(profile_json(user, profile))


class MyOrders(APIView):
    permission_classes = [IsPerson]
    PASSED_PARAMETERS: Mapping[str, dict[str, Any]] = {
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
        "cursor": {"type": "string"},
        "status": {"type": "string", "enum": [status.value for status in OrderStatus]},
    }

    @extend_schema(
        summary="Your orders, newest first, as the orders service has them",
        parameters=[OpenApiParameter(name, schema) for name, schema in PASSED_PARAMETERS.items()],
        responses={200: OpenApiResponse({"type": "array", "items": {"type": "object"}})},
    )
    async def get(self, request: Request) -> Response:
        user = await current_user(request)
        params = {
            name: request.query_params[name]
            for name in self.PASSED_PARAMETERS
            if name in request.query_params
        }
        answer = await accounts().overview.orders(user.username, params)
        return Response(answer.data, headers=_next_page(answer, path=request.path))

    @extend_schema(
        summary="Check your cart out",
        request=None,
        parameters=[OpenApiParameter("Idempotency-Key", str, "header")],
        responses={200: OpenApiResponse({"type": "object"})},
    )
    async def post(self, request: Request) -> Response:
        self.no_body(request)
        key = idempotency_key(request)
        user = await current_user(request)
        answer = await accounts().overview.check_out(user.username, key=key)
        headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        return Response(answer.data, headers=headers)


class MyCart(APIView):
    permission_classes = [IsPerson]

    @extend_schema(
        summary="Your cart, as the carts service has it",
        responses={200: OpenApiResponse({"type": "object"})},
    )
    async def get(self, request: Request) -> Response:
        user = await current_user(request)
        return Response(await accounts().overview.cart(user.username))


class MyTotalSpent(APIView):
    permission_classes = [IsPerson]

    @extend_schema(
        summary="The sum of your orders, cancelled ones left out",
        responses={200: serializers.TotalSpentSerializer},
    )
    async def get(self, request: Request) -> Response:
        return Response({"total_spent": (await current_user(request)).total_spent})


def _next_page(answer: Answer, *, path: str) -> dict[str, str]:
    """The link to the next page of orders, as a link to ours."""
    match = NEXT_PAGE.search(answer.headers.get("Link", ""))
    if match is None:
        return {}
    query = urlsplit(match.group(1)).query
    return {"Link": f'<{path}?{query}>; rel="next"'}
