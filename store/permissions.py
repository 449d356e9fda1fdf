"""Who may call: DRF permission classes over ``store.auth.Caller``, composable with ``& | ~``."""

from typing import Any

from rest_framework.permissions import AllowAny, BasePermission

__all__ = ["AllowAny", "IsAdmin", "IsCaller", "IsPerson", "IsService"]


class IsCaller(BasePermission):
    """Anyone with credentials, services and the demo's admin role included."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.user.is_authenticated)


class IsPerson(BasePermission):
    """A known person: a user, or a service that acts for one."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return request.user.username is not None


class IsAdmin(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.user.is_admin)


class IsService(BasePermission):
    """One of the shop's services, by its token."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return request.user.service is not None
