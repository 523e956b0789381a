from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import DomainError
from developers.management.commands import _organization
from developers.services import find_key, revoke_key


class Command(BaseCommand):
    help = "Revoke an API key, or one of its secrets. The very next request with it is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        _organization.add_argument(parser)
        parser.add_argument("key", help="The key's id, key_…")
        parser.add_argument("--prefix", default="", help="Only the secret that begins so, such as bkf_live_4fQ2.")

    def handle(self, *args: Any, **options: Any) -> None:
        by = _organization.operator(options["organization"])
        try:
            revoked = revoke_key(by=by, key=find_key(by=by, public_id=options["key"]), prefix=options["prefix"])
        except DomainError as error:
            raise CommandError(error.detail) from None
        self.stdout.write(f"{revoked} secret(s) revoked.")
