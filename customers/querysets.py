"""How customers are asked for."""

from typing import TYPE_CHECKING, Self

from django.db.models import Q

from organizations.querysets import TenantQuerySet

if TYPE_CHECKING:
    from organizations.actor import Actor


class CustomerQuerySet(TenantQuerySet):
    def visible_to(self, actor: "Actor") -> Self:
        """Erased customers are gone for everybody; their rows remain for the bookings' sake."""
        return super().visible_to(actor).filter(erased_at=None)

    def matching(self, text: str) -> Self:
        """Whose name, e-mail or phone contains the text."""
        return self.filter(Q(name__icontains=text) | Q(email__icontains=text) | Q(phone__contains=text))
