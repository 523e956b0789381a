"""Letters to those who run an organization, and to those who are to join."""

from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from organizations.models import Invitation, Membership, Organization
from organizations.permissions import ADMINISTRATORS


def mail_administrators(organization: Organization, template: str, context: dict[str, Any]) -> None:
    """One message to all of them, from `emails/<template>/`, as text and as HTML: sent or not, so that a task that runs again
    repeats it to nobody in particular. The templates get the organization too.
    """
    recipients = _administrators(organization)
    if not recipients:
        return
    _send(template, {**context, "organization": organization}, to=recipients)


def mail_invitation(invitation: Invitation, *, url: str) -> None:
    """The letter with the link. Raises OSError when the mail server does not take it."""
    _send("invitation", {"invitation": invitation, "organization": invitation.organization, "url": url}, to=[invitation.email])


def _send(template: str, context: dict[str, Any], *, to: list[str]) -> None:
    subject, body, html = (
        render_to_string(f"emails/{template}/{part}", context).strip() for part in ("subject.txt", "body.txt", "body.html")
    )
    message = EmailMultiAlternatives(" ".join(subject.split()), body, to=to)
    message.attach_alternative(html, "text/html")
    message.send()


def _administrators(organization: Organization) -> list[str]:
    """Owners and managers; a sandbox twin has no members of its own."""
    members = Membership.objects.filter(
        organization=organization.sandbox_of or organization, role__in=ADMINISTRATORS, user__is_active=True
    )
    return list(members.order_by("pk").values_list("user__email", flat=True))
