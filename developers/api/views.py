"""`GET /me`, `GET /status`, and the answer to every unknown URL of the API."""

from typing import Any, ClassVar

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import NotFound
from common.walltime import utc_text
from developers.problems import AWAY_SECONDS
from developers.serializers import KeyContextShape, StatusShape
from developers.viewsets import ApiView, ApiViewSet
from webhooks.metrics import lag_seconds

QUEUES = ("celery", "webhooks")  # Celery's own, and that of the deliveries


class MeViewSet(ApiViewSet):
    scopes: ClassVar = {"retrieve": None}
    shape = KeyContextShape

    @extend_schema(operation_id="get_me", summary="Who am I", tags=["Start"], responses=KeyContextShape)
    def retrieve(self, request: Request) -> Response:
        """The organization and the key behind the request: the first call to try."""
        return Response(KeyContextShape.json(request.auth))


class StatusViewSet(ApiViewSet):
    """Needs no key; a monitor asks it."""

    authentication_classes: ClassVar[list[Any]] = []
    scopes: ClassVar = {"retrieve": None}

    @extend_schema(
        operation_id="get_status",
        summary="Service status",
        tags=["Start"],
        responses={200: StatusShape, 503: StatusShape},
        auth=[],
    )
    def retrieve(self, request: Request) -> Response:
        """200 when database and Redis answer; without Redis the API goes on, `degraded`. 503 without the database."""
        body = service_status()
        headers = {"Cache-Control": "no-store"}
        if body["database"] == "ok":
            return Response(body, headers=headers)
        return Response(body, status=503, headers={**headers, "Retry-After": str(AWAY_SECONDS)})


class UnknownView(ApiView):
    """Any other path below the API. It asks for no key: which URLs exist stands in the documents anyway."""

    authentication_classes: ClassVar[list[Any]] = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("URL")


def service_status() -> dict[str, Any]:
    """What `GET /status` answers."""
    database, waiting = database_answers(), tasks_waiting()
    return {
        "object": "status",
        "status": "ok" if database and waiting is not None else "degraded",
        "database": "ok" if database else "down",
        "redis": "down" if waiting is None else "ok",
        "tasks_waiting": waiting,
        "webhook_lag_seconds": webhook_lag() if database else None,
        "time": utc_text(timezone.now().replace(microsecond=0)),
    }


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True


def tasks_waiting() -> int | None:
    """Tasks in the queue that no worker has taken yet; None when Redis does not answer."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as client:
            return sum(int(client.llen(queue)) for queue in QUEUES)  # type: ignore[arg-type]
    except redis.RedisError:
        return None


def webhook_lag() -> float | None:
    try:
        return round(lag_seconds(), 3)
    except DatabaseError:
        return None
