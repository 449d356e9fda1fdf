"""The two people that exist in demo mode."""

import asyncio
from contextlib import suppress

from accounts.domain import Applicant, UsernameTaken
from accounts.services import People

ADMIN = Applicant("swagger_admin", "Swagger Admin User", "+7 (999) 987-65-43", is_admin=True)
USER = Applicant("swagger_user", "Swagger Regular User", "+7 (999) 123-45-67")
# Published on purpose: they exist in demo mode only, and every answer then says so.
PASSWORDS = {USER: "password123", ADMIN: "admin123"}


async def add_users(people: People) -> None:
    """Makes those that do not exist; both are hashed at the same time."""
    await asyncio.gather(*(_add(people, who, password) for who, password in PASSWORDS.items()))


async def _add(people: People, applicant: Applicant, password: str) -> None:
    with suppress(UsernameTaken):
        await people.add(applicant, password)
