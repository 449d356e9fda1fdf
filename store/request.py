"""The request as views see it: DRF's, with a Caller for its user."""

from typing import TYPE_CHECKING, Any

from rest_framework.request import Request as DRFRequest

from store.auth import Caller


class Request(DRFRequest):
    if TYPE_CHECKING:
        user: Caller  # type: ignore[assignment]

    @property
    def service(self) -> str:
        """Which of the shop's services is being called."""
        http_request: Any = self._request
        return str(http_request.scope["service"])
