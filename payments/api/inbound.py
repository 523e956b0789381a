"""Stripe's door to us: `POST /webhooks/stripe`, and one below it for each organization with a webhook secret of its own.

An event is only a hint to look. What it says of money is not believed: the worker asks Stripe itself, so that events may come
twice, late, in any order or not at all.
"""

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common.errors import DomainError, ErrorCode
from common.signing import decrypt
from developers.problems import django_response, to_domain_error
from payments.gateway import BadSignature, verified_event
from payments.models import StripeAccount
from payments.services import look_soon

STRIPE_ID = re.compile(r"\w{1,255}", re.ASCII)


@csrf_exempt
@require_POST
def platform(request: HttpRequest) -> HttpResponse:
    """Events of the platform's own account, and of the accounts connected to it."""
    return _receive(request, settings.STRIPE_WEBHOOK_SECRET)


@csrf_exempt
@require_POST
def own(request: HttpRequest, organization: str) -> HttpResponse:
    """Events of an organization's own account. An unknown organization is refused as a bad signature is."""
    account = StripeAccount.objects.filter(organization__public_id=organization).exclude(webhook_secret="").first()
    if account is None:
        return _receive(request, "")
    return _receive(request, decrypt(account.webhook_secret), own_account_of=account.organization_id)


def _receive(request: HttpRequest, secret: str, *, own_account_of: int | None = None) -> HttpResponse:
    """Answers before anything is asked of Stripe: 200 for all that it has signed, whether or not it concerns us."""
    try:
        event = verified_event(request.body, request.headers.get("Stripe-Signature", ""), secret)
        about = _about(event)
        if about:
            look_soon(**about, own_account_of=own_account_of, connected_account=_id(event.get("account")))
    except RequestDataTooBig:
        return django_response(DomainError(code=ErrorCode.PAYLOAD_TOO_LARGE), request)
    except (BadSignature, _Unreadable):
        return django_response(DomainError(REFUSED, code=ErrorCode.BAD_REQUEST), request)
    except OperationalError as error:  # Stripe repeats what is not accepted
        return django_response(to_domain_error(error), request)
    return JsonResponse({"received": True})


REFUSED = "Not an event that Stripe has signed for this endpoint within the last minutes."


class _Unreadable(Exception):
    """Signed, and yet not in the shape of an event."""


def _about(event: dict[str, Any]) -> dict[str, str]:
    """The ids of the objects that the event is about, of those that we look at; empty for events of other types."""
    kind, found = event.get("type"), event.get("data")
    if not isinstance(kind, str) or not isinstance(found, dict) or not isinstance(found.get("object"), dict):
        raise _Unreadable
    found = found["object"]
    if kind.startswith("payment_intent."):
        return {"intent": _id(found.get("id"), required=True)}
    if kind.startswith("refund.") or kind == "charge.refund.updated":
        return {"refund": _id(found.get("id"), required=True), "intent": _id(found.get("payment_intent"))}
    return {"intent": _id(found.get("payment_intent"))} if kind.startswith("charge.") else {}


def _id(value: Any, *, required: bool = False) -> str:
    """An id of Stripe's; empty where there is none."""
    if value is None and not required:
        return ""
    if not isinstance(value, str) or not STRIPE_ID.fullmatch(value):
        raise _Unreadable
    return value
