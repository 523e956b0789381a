from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import DomainError
from developers.management.commands import _organization
from developers.services import UNTIL_REVOKED, find_key, rotate_key

OVERLAPS = {
    "now": timedelta(0),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "until-revoked": UNTIL_REVOKED,
}


class Command(BaseCommand):
    help = "Add a second secret to an API key and print it. The old one works on for the overlap."

    def add_arguments(self, parser: ArgumentParser) -> None:
        _organization.add_argument(parser)
        parser.add_argument("key", help="The key's id, key_…")
        parser.add_argument("--overlap", choices=OVERLAPS, default="until-revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        by = _organization.operator(options["organization"])
        try:
            key = find_key(by=by, public_id=options["key"])
            self.stdout.write(rotate_key(by=by, key=key, overlap=OVERLAPS[options["overlap"]]))
        except DomainError as error:
            raise CommandError(error.detail) from None
