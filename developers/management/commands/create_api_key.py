from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.errors import DomainError
from developers.management.commands import _organization
from developers.models import ApiKey
from developers.services import create_key
from organizations.permissions import Scope
from rooms.services import sandbox_for


class Command(BaseCommand):
    help = "Create an API key and print it. It is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        _organization.add_argument(parser)
        parser.add_argument("name", help="What the key is for.")
        parser.add_argument("--preset", choices=ApiKey.Preset.values, default=ApiKey.Preset.CUSTOM)
        parser.add_argument("--scope", action="append", choices=Scope.values, default=[], help="Repeatable.")
        parser.add_argument("--test", action="store_true", help="A key for the sandbox twin, which is made if need be.")
        parser.add_argument("--days", type=int, help="Expires after so many days.")

    def handle(self, *args: Any, **options: Any) -> None:
        by = _organization.operator(options["organization"])
        if options["test"]:
            sandbox_for(by.organization)
        try:
            key, secret = create_key(
                by=by,
                name=options["name"],
                preset=ApiKey.Preset(options["preset"]),
                scopes=[Scope(scope) for scope in options["scope"]],
                mode=ApiKey.Mode.TEST if options["test"] else ApiKey.Mode.LIVE,
                expires_at=timezone.now() + timedelta(days=options["days"]) if options["days"] else None,
            )
        except DomainError as error:
            raise CommandError(error.detail) from None
        self.stdout.write(f"{key.public_id} {secret}")
