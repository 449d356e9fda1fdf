"""The admin of a service: Django's own, to look at what the service keeps and change nothing."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field, unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from store import signin
from store.rows import ROWS_A_PAGE, Rows, Source, Wanted

_PLACE = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class Site(admin.AdminSite):
    """One for each service: in ``settings.all`` there are four in a process."""

    site_title = "Product Store"
    index_title = "What this service keeps"
    enable_nav_sidebar = False

    def __init__(self, service: str) -> None:
        super().__init__()
        self.site_header = f"Product Store: {service}"

    def get_urls(self) -> list[Any]:
        """Without those that are for tables of users and of content types."""
        unwanted = {"password_change", "password_change_done", "autocomplete", "view_on_site"}
        return [each for each in super().get_urls() if getattr(each, "name", "") not in unwanted]

    def get_log_entries(self, request: HttpRequest) -> Any:
        return []

    async def login(  # type: ignore[override]  # accounts is asked on the event loop
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        view: Any = AdminSignIn.as_view(site=self)
        response: HttpResponse = await view(request)
        return response

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return signin.sign_out(request)


class AdminSignIn(signin.SignIn):
    template_name = "admin/login.html"
    admins_only = True
    site: Any = None

    async def get(self, request: HttpRequest) -> HttpResponse:
        if self.site.has_permission(request):
            return HttpResponseRedirect(self._next_page())
        return await super().get(request)

    def context(self) -> dict[str, Any]:
        titles = {"title": "Log in", "username": str(self.request.user)}
        return {**self.site.each_context(self.request), **titles}

    def default_next_page(self) -> str:
        return reverse("admin:index")


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists and details of one kind of thing, read from ``source``."""

    source: ClassVar[type[Source]]
    list_per_page = ROWS_A_PAGE
    list_max_show_all = ROWS_A_PAGE
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    actions = None
    sortable_by: ClassVar[Any] = ()

    def get_urls(self) -> list[Any]:
        """The two views that only look."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        changelist, change = require_safe(self.changelist_view), require_safe(self.change_view)
        admin_view = self.admin_site.admin_view
        return [
            path("", admin_view(changelist), name=f"{name}_changelist"),
            path("<path:object_id>/change/", admin_view(change), name=f"{name}_change"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Django's is a form that saves; this is a table."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        context = self.admin_site.each_context(request) | {
            "title": str(row),
            "opts": self.opts,
            "fields": [self._field(name, row) for name in self.get_fields(request, row)],
        }
        return TemplateResponse(request, "store/admin_detail.html", context)

    def get_queryset(self, request: HttpRequest) -> Any:
        return Rows(self.model, self.source(), Wanted())

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        return queryset.search(search_term), False

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any
    ) -> Any:
        page = request.GET.get("p", "")
        start = (int(page) - 1) * per_page if _PLACE.fullmatch(page) else 0
        return super().get_paginator(request, queryset.at(start), per_page, *args, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or [each.name for each in self.opts.fields]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _field(self, name: str, row: Any) -> tuple[Any, Any]:
        field, _, value = lookup_field(name, row, self)
        shown = display_for_field(value, field, "-") if field else value
        return label_for_field(name, self.model, self), shown


class ExactFilter(admin.SimpleListFilter):
    """Rows with one of some values. A source gets the value as it stands in the address."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value is None:
            return queryset
        if value not in {key for key, _ in self.lookup_choices}:
            raise IncorrectLookupParameters
        return queryset.filter(**{str(self.parameter_name): value})


def moment(value: datetime | None) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if value else "-"


def money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> SafeString:
    cells = ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", cells),
    )
