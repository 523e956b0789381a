from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from bookingflow import demo


class Command(BaseCommand):
    help = "Two organizations with rooms, three months of bookings behind and ahead, and keys in demo.env. Runs once."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.VAR_DIR / "demo.env"
        if path.exists() and demo.is_there():
            return
        values = demo.create()
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
