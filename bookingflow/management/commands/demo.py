from argparse import ArgumentParser
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
            values = demo.create()
            path.touch(mode=0o600)
            path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        if options["receiver"]:
            lines = [line for line in path.read_text().splitlines() if line]
            known = any(line.startswith(f"{SECRET}=") for line in lines)
            if secret := demo.connect_receiver(options["receiver"], secret_is_known=known):
                lines = [line for line in lines if not line.startswith(f"{SECRET}=")]
                path.write_text("".join(f"{line}\n" for line in [*lines, f"{SECRET}={secret}"]))
