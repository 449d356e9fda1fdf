"""Makes an admin in the running accounts service: the first one of a shop, too."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.domain import Applicant
from accounts.management.running import REFUSED, register


class Command(BaseCommand):
    help = "Makes an admin in the running accounts service. Asks for the password."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--full-name", help="the username, where not given")
        parser.add_argument("--phone", default="00000", help="default: %(default)s")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from standard input (it never belongs on a command line)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        password = _piped() if options["password_stdin"] else _asked()
        applicant = Applicant(
            username, options["full_name"] or username, options["phone"], is_admin=True
        )
        if not register(applicant, password):
            raise CommandError(f"The username {username} is taken.", returncode=REFUSED)
        self.stdout.write(f"{username} is an admin now.")


def _piped() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _asked() -> str:
    if not sys.stdin.isatty():
        raise CommandError("There is nobody to ask for a password: use --password-stdin.")
    password = getpass("Password: ")
    if getpass("Password again: ") != password:
        raise CommandError("The two passwords differ.")
    return password
