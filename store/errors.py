"""Everything that can go wrong in the shop, as plain exceptions.

ShopError
├── Invalid                400  what was sent is malformed or breaks a rule of its own
├── NotAuthenticated       401  nobody, or somebody with bad credentials
├── Forbidden              403
├── NotFound               404
├── Conflict               409  well-formed, but not in the present state
├── TooLarge               413
├── UnsupportedMedia       415
├── KeyReused              422  an idempotency key that came with another body before
├── TooMany                429  says when to come back
└── Unavailable            503  says when to come back

The statuses stand in one table, ``store.answers.STATUSES``. A service derives its own
errors from these and gives them a sentence and a machine word.
"""

from collections.abc import Mapping
from typing import ClassVar


class ShopError(Exception):
    """Carries what an error answer shows: ``{"detail", "code", "errors"?, **facts}``."""

    code: ClassVar[str] = "error"
    detail: ClassVar[str] = "The request failed."

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        errors: Mapping[str, list[str]] | None = None,
        facts: Mapping[str, object] | None = None,
        retry_after: int | None = None,
    ) -> None:
        """``errors`` speaks to people, by field; ``facts`` are further members for programs."""
        self.message = detail or self.detail
        self.word = code or self.code
        self.errors = errors
        self.facts = facts or {}
        self.retry_after = retry_after
        super().__init__(self.message)

    def body(self) -> dict[str, object]:
        """The answer's JSON object."""
        body: dict[str, object] = {"detail": self.message, "code": self.word}
        if self.errors:
            body["errors"] = self.errors
        return body | dict(self.facts)


class Invalid(ShopError):
    code = "invalid"
    detail = "The request is not valid."


class NotAuthenticated(ShopError):
    code = "not_authenticated"
    detail = "Credentials are missing or not valid."


class Forbidden(ShopError):
    code = "forbidden"
    detail = "You may not do this."


class NotFound(ShopError):
    code = "not_found"
    detail = "There is nothing here."


class Conflict(ShopError):
    code = "conflict"
    detail = "This conflicts with the present state."


class TooLarge(ShopError):
    code = "too_large"
    detail = "The body is larger than 256 KiB."


class UnsupportedMedia(ShopError):
    code = "unsupported_media_type"
    detail = "This media type is not understood here."


class KeyReused(ShopError):
    code = "idempotency_key_reused"
    detail = "This Idempotency-Key came with another request body before."


class TooMany(ShopError):
    code = "too_many_requests"
    detail = "Too many requests; come back later."


class Unavailable(ShopError):
    code = "unavailable"
    detail = "A service that is needed is away; come back later."
