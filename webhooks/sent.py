"""What a receiver got, for the endpoint's owner to compare with what arrived."""

import uuid

import orjson

from common.signing import decrypt
from webhooks.engine.claim import Claimed
from webhooks.engine.send import request_headers
from webhooks.models import Attempt, Delivery, EndpointSecret

MASK = "••••••••"


def sent_headers(delivery: Delivery, attempt: Attempt) -> dict[str, str]:
    """Of that attempt's request; the owner's own ones are named, their values masked. The signature is made again by the secrets
    that were live then: the same, unless the event was redacted since. Empty when nothing was sent for want of a secret.

    `delivery` comes with its endpoint and event.
    """
    at = attempt.started_at
    secrets = EndpointSecret.objects.filter(endpoint=delivery.endpoint, created_at__lte=at).live(at)
    own = orjson.loads(decrypt(delivery.endpoint.headers)) if delivery.endpoint.headers else {}
    claimed = Claimed(
        pk=delivery.pk,
        endpoint_pk=delivery.endpoint_id,
        token=uuid.UUID(int=0),
        attempt=attempt.number,
        is_probe=False,
        delivery_id=delivery.public_id,
        event_id=delivery.event.public_id,
        event_type=delivery.event.type,
        is_redelivery=delivery.lane == Delivery.Lane.REPLAY,
        url=delivery.endpoint.url,
        body=delivery.event.body.encode(),
        headers=dict.fromkeys(own, MASK),
        secrets=[decrypt(encrypted) for encrypted in secrets.values_list("encrypted", flat=True)],
    )
    try:
        return request_headers(claimed, now=at)
    except ValueError:
        return {}
