"""The doors of the shop: registration, login, and the checks of passwords behind other doors."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts import demo, serializers
from accounts.apps import accounts
from accounts.domain import Applicant, User
from accounts.serializers import user_json
from store.answers import Response
from store.api import APIView
from store.errors import NotFound
from store.http import client_address
from store.permissions import AllowAny, IsService
from store.request import Request
from store.tokens import user_token

# RFC 6749, 5.1: an answer with a token in it is nobody's to keep.
NOT_STORED = {"Cache-Control": "no-store"}


class Registration(APIView):
    permission_classes = [AllowAny]
    inputs = {"POST": serializers.RegistrationSerializer}

    @extend_schema(
        summary="Register; the new user is logged in",
        responses={201: serializers.NewUserSerializer},
    )
    async def post(self, request: Request) -> Response:
        by_admin = request.user.is_admin
        data = self.body(request)
        password = data.pop("password")
        user = await accounts().people.register(Applicant(**data), password, by_admin=by_admin)
        answer = user_json(user) | _token_json(user)
        return Response(answer, status=201, headers=NOT_STORED)


class Token(APIView):
    permission_classes = [AllowAny]
    inputs = {"POST": serializers.TokenRequestSerializer}

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """OAuth2 clients (Swagger UI is one) send their client id as HTTP Basic: it is ignored."""
        if request.META.get("HTTP_AUTHORIZATION", "").lower().startswith("basic "):
            del request.META["HTTP_AUTHORIZATION"]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(summary="Log in", responses={200: serializers.TokenSerializer})
    async def post(self, request: Request) -> Response:
        data = self.body(request)
        user = await accounts().people.login(
            data["username"], data["password"], address=client_address(request._request)
        )
        return Response(_token_json(user), headers=NOT_STORED)


class PasswordCheck(APIView):
    """For the login form of the services' admin pages: they keep no passwords of their own."""

    permission_classes = [IsService]
    inputs = {"POST": serializers.LoginSerializer}

    @extend_schema(
        summary="Check a password (services only)",
        parameters=[OpenApiParameter("X-Client-Address", str, "header")],
        responses={200: serializers.RoleSerializer},
    )
    async def post(self, request: Request) -> Response:
        data = self.body(request)
        address = request.META.get("HTTP_X_CLIENT_ADDRESS") or client_address(request._request)
        user = await accounts().people.login(data["username"], data["password"], address=address)
        return Response({"username": user.username, "is_admin": user.is_admin})


class DemoToken(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        summary="An admin's token (demo mode only)",
        responses={200: serializers.DemoTokenSerializer},
    )
    async def get(self, request: Request) -> Response:
        if not settings.DEMO:
            raise NotFound
        answer = _token_json(demo.ADMIN)
        del answer["expires_in"]
        answer |= {"username": demo.ADMIN.username, "is_admin": True}
        return Response(answer, headers=NOT_STORED)


def _token_json(who: User | Applicant) -> dict[str, Any]:
    token, seconds = user_token(who.username, who.is_admin)
    return {"access_token": token, "token_type": "bearer", "expires_in": seconds}
