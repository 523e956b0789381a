"""What the key commands share: the organization by slug, acted on as the system."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from organizations.actor import Actor
from organizations.models import Organization


def add_argument(parser: ArgumentParser) -> None:
    parser.add_argument("organization", help="The organization's slug.")


def operator(slug: str) -> Actor:
    """Raises CommandError for an unknown slug."""
    organization = Organization.objects.filter(slug=slug, sandbox_of=None).first()
    if organization is None:
        raise CommandError(f"There is no organization with the slug {slug!r}.")
    return Actor.system(organization)
