"""Makes the demo users in the running accounts service."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import demo
from accounts.management.running import check_demo, register


class Command(BaseCommand):
    help = "Makes the demo users in the running accounts service; refuses without DEMO=1."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The passwords of the demo users are public: DEMO=1 is required.")
        check_demo()
        for applicant, password in demo.PASSWORDS.items():
            made = register(applicant, password)
            self.stdout.write(f"{applicant.username}: {'made' if made else 'existed already'}")
