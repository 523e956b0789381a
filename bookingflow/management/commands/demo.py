from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from bookingflow import demo
from bookingflow.receiver import SECRET


class Command(BaseCommand):
    help = "Two organizations with rooms, three months of bookings behind and ahead, and keys in demo.env. Made once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--receiver", metavar="URL", help="Send one organization's webhooks there, at every start anew.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.VAR_DIR / "demo.env"
        if not (path.exists() and demo.is_there()):
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            note(path, **demo.create())
        note(path, STRIPE_API_BASE=settings.STRIPE_API_BASE)  # it may listen elsewhere at each start
        if options["receiver"]:
            known = f"\n{SECRET}=" in path.read_text()
            if secret := demo.connect_receiver(options["receiver"], secret_is_known=known):
                note(path, **{SECRET: secret})


def note(path: Path, **values: str) -> None:
    """Write these lines in place of those of the same names; the others stay."""
    lines = [line for line in path.read_text().splitlines() if line and line.partition("=")[0] not in values]
    path.write_text("".join(f"{line}\n" for line in [*lines, *(f"{name}={value}" for name, value in values.items())]))
