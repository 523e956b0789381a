from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from bookingflow import demo
from bookingflow.receiver import SECRET


class Command(BaseCommand):
    help = (
        "What make run starts from: the database and the static files up to date; two organizations with rooms, six weeks of "
        "bookings behind and ahead, and keys in demo.env, which are made once."
    )
    requires_system_checks = ()  # who starts next runs those that matter

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--receiver", metavar="URL", help="Send one organization's webhooks there, at every start anew.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.say("Bringing the database up to date")
        call_command("migrate", verbosity=0)
        self.say("Collecting static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        path = settings.VAR_DIR / "demo.env"
        if not (path.exists() and demo.is_there()):
            self.say("Making demo data")
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            note(path, **demo.create())
        note(path, STRIPE_API_BASE=settings.STRIPE_API_BASE)  # it may listen elsewhere at each start
        if options["receiver"]:
            known = f"\n{SECRET}=" in path.read_text()
            if secret := demo.connect_receiver(options["receiver"], secret_is_known=known):
                note(path, **{SECRET: secret})

    def say(self, text: str) -> None:
        self.stdout.write(f"· {text}")
        self.stdout.flush()


def note(path: Path, **values: str) -> None:
    """Write these lines in place of those of the same names; the others stay."""
    lines = [line for line in path.read_text().splitlines() if line and line.partition("=")[0] not in values]
    path.write_text("".join(f"{line}\n" for line in [*lines, *(f"{name}={value}" for name, value in values.items())]))
