"""The admin of accounts: who is registered. No password is shown in any form, nor its hash."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from django.contrib import admin
from django.db import models
from django.utils.safestring import SafeString

from accounts import domain
from accounts.apps import accounts
from accounts.domain import UnknownPerson
from store.admin import ReadOnlyAdmin, Site, moment, money, table
from store.rows import STEP, Found, Wanted, on_the_loop, walk

site = Site("accounts")


class User(models.Model):
    username = models.TextField(primary_key=True)
    id = models.TextField()
    full_name = models.TextField()
    phone = models.TextField()
    is_admin = models.BooleanField("admin")
    total_spent = models.DecimalField(max_digits=20, decimal_places=2)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "accounts"
        managed = False

    def __str__(self) -> str:
        return str(self.username)


class Users:
    """By id, that is by age; a search looks for a part of the username or of the full name."""

    async def find(self, wanted: Wanted, *, start: int, stop: int) -> Found:
        if wanted.search:
            found = await _search(wanted.search.casefold(), start=start, stop=stop)
        else:
            found = await walk(_page, _id, start=start, stop=stop)
        return replace(found, rows=[_row(user) for user in found.rows])

    async def one(self, key: str) -> User | None:
        try:
            return _row(await accounts().people.known(key))
        except UnknownPerson:
            return None


async def _page(after: str | None, limit: int) -> Sequence[domain.User]:
    return await accounts().people.page(after=after or "", limit=limit)


def _id(user: domain.User) -> str:
    return user.id


async def _search(words: str, *, start: int, stop: int) -> Found:
    matching: list[domain.User] = []
    async for user in _everybody():
        if words in user.username.casefold() or words in user.full_name.casefold():
            matching.append(user)
            if len(matching) > stop:
                return Found(matching[start:stop], len(matching), is_total_known=False)
    return Found(matching[start:stop], len(matching))


async def _everybody() -> AsyncIterator[domain.User]:
    """In steps, between which others get their turn on the loop."""
    after = None
    while users := await _page(after, STEP):
        for user in users:
            yield user
        after = _id(users[-1])
        await asyncio.sleep(0)


def _row(user: domain.User) -> User:
    """Field by field: what is no field of ours, the password's hash, does not even get here."""
    return User(**{field.attname: getattr(user, field.attname) for field in User._meta.fields})


@admin.register(User, site=site)
class UserAdmin(ReadOnlyAdmin):
    source = Users
    list_display = ("username", "full_name", "phone", "is_admin", "total_spent", "registered", "id")
    fields = (*list_display, "news")
    search_fields = ("username", "full_name")
    search_help_text = "A part of the username or of the full name."

    def registered(self, row: User) -> str:
        return moment(row.created_at)

    def news(self, row: User) -> SafeString:
        """The last steps of the user's orders, as accounts has heard of them."""
        latest = on_the_loop(accounts().news.latest, row.username)
        return table(
            ("Order", "Status", "When", "Total"),
            (
                (each.order_id, each.status, moment(each.updated_at), money(each.total))
                for each in latest
            ),
        )
