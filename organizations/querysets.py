"""Rows are asked for by name; tenant rows only through `visible_to`."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.utils import timezone

from common.errors import NotFound

if TYPE_CHECKING:
    from organizations.actor import Actor


class TenantQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Rows with an `organization`: the base of every tenant model's queryset."""

    def visible_to(self, actor: "Actor") -> Self:
        """Only the rows of the actor's own organization."""
        return self.filter(organization=actor.organization)

    def find(self, public_id: str) -> Any:
        """The row of that public id; NotFound otherwise, whether it is absent or another tenant's."""
        row = self.filter(public_id=public_id).first()
        if row is None:
            raise NotFound(str(self.model._meta.verbose_name))
        return row


class AppendOnlyQuerySet(TenantQuerySet):
    """Rows that are written once. The database refuses the rest too (a trigger in the migration)."""

    def update(self, **kwargs: object) -> int:
        raise TypeError(f"{self.model.__name__} is append-only")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError(f"{self.model.__name__} is append-only")


class MembershipQuerySet(TenantQuerySet):
    def of(self, user: models.Model) -> Self:
        return self.filter(user=user, joined_at__lte=timezone.now())


class InvitationQuerySet(TenantQuerySet):
    def pending(self) -> Self:
        """Neither accepted nor revoked; some may have expired."""
        return self.filter(accepted_at=None, revoked_at=None)
