"""How django-allauth is fitted in: letters as text and as HTML, sessions that know when one signed in, secrets encrypted."""

import logging
import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import HttpRequest
from django.template.loader import render_to_string

from common.client import client_address
from common.signing import decrypt, encrypt

PASSWORD_HELP = "At least 10 characters, and none of the common ones."  # noqa: S105

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "The e-mail address or the password is not right.",
        "too_many_login_attempts": "Too many attempts. Wait five minutes, then try again.",
    }

    def render_mail(
        self, template_prefix: str, email: str | list[str], context: dict[str, Any], headers: dict[str, str] | None = None
    ) -> EmailMessage:
        """The HTML is the text with its links made clickable: one wording to keep."""
        message = super().render_mail(template_prefix, email, context, headers)
        if isinstance(message, EmailMultiAlternatives) and not message.alternatives:
            message.attach_alternative(render_to_string("emails/letter.html", {"text": message.body}), "text/html")
        return message

    def get_client_ip(self, request: HttpRequest) -> str:
        """As API keys see it: attempts are counted, and sessions listed, by the same address."""
        address = client_address(request.META)
        if address is None:
            raise PermissionDenied("The address cannot be told.")
        return str(address)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that is away must not undo what was done; whoever signs in unconfirmed gets another letter."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError:  # smtplib's errors are among them
            logger.exception("could not send %s", template_prefix)
            messages.error(self.request, "We could not send the letter just now. Try again in a few minutes.")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Who has just signed in need not prove it again at once."""
        records = get_authentication_records(self.request, self.request.user)
        recent = bool(records) and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT
        return not recent and bool(super().is_reauthentication_required(app=app, **kwargs))


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """A copy of the database alone makes no valid codes."""

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)
