"""The login form of a service's pages; accounts says whether the password is right."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import get_script_prefix
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.http import require_POST

from store import answers, http, sessions
from store.auth import Caller
from store.errors import Forbidden, NotAuthenticated, ShopError, TooMany, Unavailable

PATIENCE_SECONDS = 5.0
WRONG = "The username or the password is wrong."
TOO_MANY = "Too many wrong passwords; come back in a few minutes."
AWAY = "The accounts service is away, so nobody can sign in just now; come back in a moment."
NOT_ADMIN = "This account is not an admin's."


class SignInForm(forms.Form):
    username = forms.CharField(max_length=50, strip=False)
    password = forms.CharField(max_length=128, strip=False, widget=forms.PasswordInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs |= {"autofocus": True, "autocomplete": "username"}
        self.fields["password"].widget.attrs |= {"autocomplete": "current-password"}


class SignIn(View):
    """``GET`` shows the form, ``POST`` signs in and goes on to ``next``."""

    template_name = "store/login.html"
    admins_only = False

    def context(self) -> dict[str, Any]:
        return {}

    def default_next_page(self) -> str:
        return get_script_prefix()

    async def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(SignInForm())

    async def post(self, request: HttpRequest) -> HttpResponse:
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=400)
        try:
            person = await verified(request, **form.cleaned_data)
            if self.admins_only and not person.is_admin:
                raise Forbidden(NOT_ADMIN)
        except ShopError as refusal:
            form.add_error(None, refusal.message)
            answer = answers.failure(refusal, request)
            return self._page(form, status=answer.status, headers=dict(answer.headers or {}))
        sessions.sign_in(request, person)
        return HttpResponseRedirect(self._next_page())

    def _page(
        self, form: SignInForm, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        context = self.context() | {
            "form": form,
            "next": self._next_page(),
            "app_path": self.request.get_full_path(),
        }
        return TemplateResponse(
            self.request, self.template_name, context, status=status, headers=headers
        )

    def _next_page(self) -> str:
        return next_page(self.request) or self.default_next_page()


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    sessions.sign_out(request)
    return HttpResponseRedirect(next_page(request) or get_script_prefix())


async def verified(request: HttpRequest, *, username: str, password: str) -> Caller:
    """The person, as accounts knows them. Raises an error whose sentence is for the form."""
    accounts = http.peer("accounts", caller=request.scope["service"])  # type: ignore[attr-defined]
    try:
        answer = await accounts.call(
            "POST",
            "/users/verify",
            timeout=PATIENCE_SECONDS,
            json={"username": username, "password": password},
            headers={"X-Client-Address": http.client_address(request)},
        )
    except http.PeerAway:
        raise Unavailable(AWAY) from None
    if answer.status in (400, 401):
        raise NotAuthenticated(WRONG)
    if answer.status == 429:
        raise TooMany(TOO_MANY, retry_after=_seconds(answer.headers.get("Retry-After", "")))
    if answer.status != 200:
        raise Unavailable(AWAY)
    return Caller(username=answer.data["username"], is_admin=answer.data["is_admin"])


def next_page(request: HttpRequest) -> str:
    """Where the request asks to go on, when that is an address of this host; else nothing."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else ""


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
