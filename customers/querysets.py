"""How customers are asked for."""

from typing import TYPE_CHECKING, Self

from django.db.models import Q
from django.db.models.functions import Lower

from common.search import Words, matches
from organizations.querysets import TenantQuerySet

if TYPE_CHECKING:
    from organizations.actor import Actor

WORDS = Words("name", "email", phone="phone")


class CustomerQuerySet(TenantQuerySet):
    def visible_to(self, actor: "Actor") -> Self:
        """Erased customers are gone for everybody; their rows remain for the bookings' sake."""
        return super().visible_to(actor).filter(erased_at=None)

    def matching(self, text: str) -> Self:
        """Whose name, e-mail or phone contains the text."""
        return self.filter(Q(name__icontains=text) | Q(email__icontains=text) | Q(phone__contains=text))

    def found_by(self, typed: str, *, by: "Actor") -> Self:
        """The actor's customers with words that begin as typed, of name, e-mail or phone, by name. Indexed, unlike `matching`."""
        condition = matches(WORDS, typed, organization=by.organization.pk)
        return self.visible_to(by).filter(condition).order_by(Lower("name"), "pk") if condition else self.none()
