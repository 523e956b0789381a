"""The lock above those of the spaces."""

from organizations.actor import Actor
from organizations.models import Organization


def lock_organization(by: Actor) -> None:
    """One at a time change which rooms and venues there are, what is unique among them, and blocks that take all of them.

    It is taken before any space is locked. Bookings do not take it and are not held up: they meet blocks at the spaces.
    """
    Organization.objects.select_for_update(no_key=True).values_list("pk").get(pk=by.organization.pk)
