"""`/webhook_endpoints`, `/deliveries`, `/replays`, `/events`."""

import datetime as dt
from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Count, IntegerField, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import ErrorCode
from common.walltime import utc_text
from developers import conditional
from developers.pagination import TOTAL
from developers.viewsets import ApiViewSet
from organizations.permissions import Scope
from webhooks import services
from webhooks.api.inputs import (
    EmptyInput,
    EnableEndpointInput,
    EndpointChangesInput,
    EndpointInput,
    EventsQuery,
    ReplayInput,
    RotateSecretInput,
    TestEventInput,
)
from webhooks.api.serializers import (
    DeletedEndpointShape,
    DeliveryWithAttemptsShape,
    EnabledEndpointShape,
    EndpointWithHeldShape,
    EndpointWithSecretShape,
    EventPageShape,
    EventShape,
    ReplayPreviewShape,
    SentEventShape,
)
from webhooks.examples import example_object
from webhooks.filters import DeliveryFilters, EndpointFilters, ReplayFilters
from webhooks.models import Attempt, Delivery, Endpoint, Event, EventCounter, Replay
from webhooks.serializers import AttemptShape, DeliveryShape, EndpointShape, ReplayShape
from webhooks.types import EventType

_ARRIVED = (
    Delivery.objects.filter(replay=OuterRef("pk"), state=Delivery.State.SUCCEEDED)
    .order_by()
    .values("replay")
    .annotate(count=Count("pk"))
    .values("count")
)


class EndpointViewSet(ApiViewSet):
    queryset = Endpoint.objects.all()
    shape = EndpointShape
    filterset_class = EndpointFilters
    sorts: ClassVar = ("-created_at",)
    scopes: ClassVar = {
        "list": Scope.WEBHOOKS_READ,
        "retrieve": Scope.WEBHOOKS_READ,
        "create": Scope.WEBHOOKS_WRITE,
        "update": Scope.WEBHOOKS_WRITE,
        "destroy": Scope.WEBHOOKS_WRITE,
        "rotate_secret": Scope.WEBHOOKS_WRITE,
        "pause": Scope.WEBHOOKS_WRITE,
        "enable": Scope.WEBHOOKS_WRITE,
        "ping": Scope.WEBHOOKS_WRITE,
        "test": Scope.WEBHOOKS_WRITE,
        "replay": Scope.WEBHOOKS_WRITE,
    }
    refusals: ClassVar = {"replay": (ErrorCode.ENDPOINT_NOT_LISTENING,)}

    def target(self) -> dict[str, Any]:
        """What every verb on an endpoint takes."""
        endpoint: Endpoint = self.get_queryset().find(self.kwargs["id"])
        return {"endpoint": endpoint, "by": self.actor, "expected_version": self.expected_version}

    @extend_schema(operation_id="list_webhook_endpoints", summary="List webhook endpoints", tags=["Webhooks"])
    def list(self, request: Request) -> Response:
        return self.answer_list(self.get_queryset())

    @extend_schema(
        operation_id="get_webhook_endpoint",
        summary="Get a webhook endpoint",
        tags=["Webhooks"],
        responses=EndpointWithHeldShape,
    )
    def retrieve(self, request: Request, id: str) -> Response:
        """With what is held while it is paused or disabled."""
        endpoint = self.get_queryset().find(id)
        held = services.held_deliveries(endpoint).aggregate(count=Count("pk"), oldest=Min("event__occurred_at"))
        return self.answer(endpoint, held={"count": held["count"], "oldest_at": utc_text(held["oldest"])})

    @extend_schema(
        operation_id="create_webhook_endpoint",
        summary="Create a webhook endpoint",
        tags=["Webhooks"],
        request=EndpointInput,
        responses={201: EndpointWithSecretShape},
    )
    def create(self, request: Request) -> Response:
        """Keep `secret`: it verifies what we send, and no other answer shows it."""
        endpoint, secret = services.create_endpoint(by=self.actor, **self.input(EndpointInput))
        return self.answer(endpoint, status=201, secret=secret)

    @extend_schema(
        operation_id="change_webhook_endpoint",
        summary="Change a webhook endpoint",
        tags=["Webhooks"],
        request=EndpointChangesInput,
    )
    def update(self, request: Request, id: str) -> Response:
        """What is under way goes to the new address from its next attempt on. `headers` replaces them all."""
        return self.answer(services.update_endpoint(**self.target(), **self.input(EndpointChangesInput)))

    @extend_schema(
        operation_id="delete_webhook_endpoint",
        summary="Delete a webhook endpoint",
        tags=["Webhooks"],
        request=None,
        responses={200: DeletedEndpointShape},
    )
    def destroy(self, request: Request, id: str) -> Response:
        """With its deliveries; events stay."""
        services.delete_endpoint(**self.target())
        return Response({"object": "webhook_endpoint", "id": id, "deleted": True})

    @extend_schema(
        operation_id="rotate_webhook_secret",
        summary="Rotate an endpoint's secret",
        tags=["Webhooks"],
        request=RotateSecretInput,
        responses=EndpointWithSecretShape,
    )
    def rotate_secret(self, request: Request, id: str) -> Response:
        """A new secret, shown in this answer only. The older ones sign too for the overlap; at most three do at once."""
        overlap = dt.timedelta(seconds=self.input(RotateSecretInput)["overlap_seconds"])
        endpoint, secret = services.rotate_secret(**self.target(), overlap=overlap)
        return self.answer(endpoint, secret=secret)

    @extend_schema(operation_id="pause_webhook_endpoint", summary="Pause an endpoint", tags=["Webhooks"], request=EmptyInput)
    def pause(self, request: Request, id: str) -> Response:
        """Nothing is sent until it is enabled; events are held for 30 days."""
        self.input(EmptyInput)
        return self.answer(services.pause_endpoint(**self.target()))

    @extend_schema(
        operation_id="enable_webhook_endpoint",
        summary="Enable an endpoint",
        tags=["Webhooks"],
        request=EnableEndpointInput,
        responses=EnabledEndpointShape,
    )
    def enable(self, request: Request, id: str) -> Response:
        """After a pause, or after we disabled it. `held` of the endpoint tells what could be released."""
        endpoint, released = services.enable_endpoint(**self.target(), **self.input(EnableEndpointInput))
        return self.answer(endpoint, released=released)

    @extend_schema(
        operation_id="ping_webhook_endpoint",
        summary="Ping an endpoint",
        tags=["Webhooks"],
        request=EmptyInput,
        responses={202: SentEventShape},
    )
    def ping(self, request: Request, id: str) -> Response:
        """Sends it `webhook.ping`, whatever it subscribes to."""
        self.input(EmptyInput)
        return Response(SentEventShape.json(services.ping(**self.target())), status=202)

    @extend_schema(
        operation_id="send_test_event",
        summary="Send a test event",
        tags=["Webhooks"],
        request=TestEventInput,
        responses={202: SentEventShape},
    )
    def test(self, request: Request, id: str) -> Response:
        """An event of any type about a made-up object, to this endpoint alone, whatever it subscribes to."""
        type = EventType(self.input(TestEventInput)["type"])
        event = services.send_test_event(**self.target(), type=type, object=example_object(type))
        return Response(SentEventShape.json(event), status=202)

    @extend_schema(
        operation_id="replay_events",
        summary="Send the past again",
        tags=["Webhooks"],
        request=ReplayInput,
        responses={201: ReplayShape, 200: ReplayPreviewShape},
    )
    def replay(self, request: Request, id: str) -> Response:
        """Events of a stretch of time, in their order and at the endpoint's pace. With `dry_run` it only counts them."""
        asked = self.input(ReplayInput)
        if asked.pop("dry_run", False):
            return Response(ReplayPreviewShape.json(services.plan_replay(**self.target(), **asked)))
        replay = services.start_replay(**self.target(), **asked)
        return Response(ReplayShape.json(replay), status=201, headers={"ETag": conditional.etag(replay.version)})


class ReplayViewSet(ApiViewSet):
    queryset = Replay.objects.select_related("endpoint").annotate(
        arrived=Coalesce(Subquery(_ARRIVED, output_field=IntegerField()), 0)
    )
    shape = ReplayShape
    filterset_class = ReplayFilters
    sorts: ClassVar = ("-created_at",)
    scopes: ClassVar = {"list": Scope.WEBHOOKS_READ, "retrieve": Scope.WEBHOOKS_READ, "destroy": Scope.WEBHOOKS_WRITE}

    def replay(self) -> Replay:
        found: Replay = self.get_queryset().find(self.kwargs["id"])
        return found

    @extend_schema(operation_id="list_replays", summary="List replays", tags=["Webhooks"])
    def list(self, request: Request) -> Response:
        return self.answer_list(self.get_queryset())

    @extend_schema(operation_id="get_replay", summary="Get a replay", tags=["Webhooks"])
    def retrieve(self, request: Request, id: str) -> Response:
        """How far it is: `queued` of `total` are on their way, `succeeded` have arrived."""
        return self.answer(self.replay())

    @extend_schema(
        operation_id="cancel_replay", summary="Cancel a replay", tags=["Webhooks"], request=None, responses={200: ReplayShape}
    )
    def destroy(self, request: Request, id: str) -> Response:
        """Sends no more of it. Canceling a finished one changes nothing."""
        replay = services.cancel_replay(replay=self.replay(), by=self.actor, expected_version=self.expected_version)
        return self.answer(replay)


class DeliveryViewSet(ApiViewSet):
    queryset = Delivery.objects.select_related("endpoint", "event", "replay_of", "replay").defer("event__data", "event__body")
    shape = DeliveryShape
    filterset_class = DeliveryFilters
    sorts: ClassVar = ("-created_at",)
    scopes: ClassVar = {"list": Scope.WEBHOOKS_READ, "retrieve": Scope.WEBHOOKS_READ, "resend": Scope.WEBHOOKS_WRITE}
    refusals: ClassVar = {"resend": (ErrorCode.ENDPOINT_NOT_LISTENING,)}

    def delivery(self) -> Delivery:
        found: Delivery = self.get_queryset().find(self.kwargs["id"])
        return found

    @extend_schema(operation_id="list_deliveries", summary="List deliveries", tags=["Webhooks"])
    def list(self, request: Request) -> Response:
        return self.answer_list(self.get_queryset())

    @extend_schema(operation_id="get_delivery", summary="Get a delivery", tags=["Webhooks"], responses=DeliveryWithAttemptsShape)
    def retrieve(self, request: Request, id: str) -> Response:
        """With every attempt and what the receiver answered."""
        delivery = self.delivery()
        attempts = Attempt.objects.filter(delivery=delivery).order_by("pk")
        return self.answer(delivery, attempts_log=[AttemptShape.json(attempt) for attempt in attempts])

    @extend_schema(
        operation_id="resend_delivery",
        summary="Send a delivery again",
        tags=["Webhooks"],
        request=EmptyInput,
        responses={201: DeliveryShape},
    )
    def resend(self, request: Request, id: str) -> Response:
        """A new delivery of the same event, with `replay_of`. It says nothing of the endpoint's health."""
        self.input(EmptyInput)
        again = services.resend(delivery=self.delivery(), by=self.actor, expected_version=self.expected_version)
        return self.answer(again, status=201)


class EventViewSet(ApiViewSet):
    queryset = Event.objects.select_related("organization")
    shape = EventShape
    query_inputs: ClassVar = {"list": EventsQuery}
    scopes: ClassVar = {"list": Scope.EVENTS_READ, "retrieve": Scope.EVENTS_READ}
    pagination_class = None

    @extend_schema(
        operation_id="list_events",
        summary="Catch up on events",
        tags=["Events"],
        parameters=[EventsQuery],
        responses=EventPageShape,
    )
    def list(self, request: Request) -> Response:
        """Those after a number, in their order, none left out: after a downtime, or instead of webhooks. Ask again with
        `next_after` and `If-None-Match`: as long as nothing has happened, 304 is cheap on both sides.
        """
        asked = self.query()
        # Read before the events: what is numbered in between is shown, and the next request's ETag differs.
        last = EventCounter.objects.visible_to(self.actor).values_list("last", flat=True).first() or 0
        return self.answer_tagged(conditional.etag(last, asked), lambda: self.page(last=last, **asked))

    def answer_tagged(self, tag: str, content: Callable[[], dict[str, Any]]) -> Response:
        """304 when the caller has it; `content` is made only when not."""
        if conditional.is_unchanged(self.request.headers.get("If-None-Match"), tag):
            return Response(status=304, headers={"ETag": tag})
        return Response(content(), headers={"ETag": tag})

    def page(
        self,
        *,
        last: int,
        after: int,
        limit: int,
        type: Any = (),
        object: str = "",
        test: bool | None = None,
        include: Any = (),
    ) -> dict[str, Any]:
        events = self.get_queryset().exclude(sequence=None)
        events = events.filter(type__in=type) if type else events
        events = events.filter(object_id=object) if object else events
        events = events if test is None else events.filter(is_test=test)
        total = {TOTAL: events.count()} if TOTAL in include else {}
        rows = list(events.filter(sequence__gt=after).order_by("sequence")[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        # On the last page all numbers up to `last` have been looked at, whatever the filters left of them.
        reached = max([after, *(row.sequence for row in rows[-1:]), *([] if more else [last])])
        return {"object": "list", "data": [EventShape.json(row) for row in rows], "has_more": more, "next_after": reached} | total

    @extend_schema(operation_id="get_event", summary="Get an event", tags=["Events"], responses=EventShape)
    def retrieve(self, request: Request, id: str) -> Response:
        """As receivers get it."""
        content = EventShape.json(self.get_queryset().find(id))
        return self.answer_tagged(conditional.etag(content["object"]["version"], content), lambda: content)
