"""`POST /mcp`: the Model Context Protocol, one request and one answer at a time, without sessions."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from agents.caller import Caller
from common.errors import DomainError, ErrorCode
from developers import problems
from developers.viewsets import read_body


@csrf_exempt  # who calls says so with a key, not with a cookie
def mcp(request: HttpRequest) -> HttpResponse:
    """The key first, as in the API; then the protocol. What is no call of the API by itself is counted here."""
    try:
        caller = Caller.of(request)
        if request.method != "POST":
            raise DomainError("The protocol is spoken with POST; there is no stream to open.", code=ErrorCode.METHOD_NOT_ALLOWED)
        if request.content_type != "application/json":
            raise DomainError(code=ErrorCode.UNSUPPORTED_MEDIA_TYPE)
        read_body(request)
        from agents import transport  # late: see there

        response = transport.answer(caller)
        caller.count()
    except Exception as error:
        response = problems.django_response(problems.to_domain_error(error), request)
        if response.status_code == 405:
            response["Allow"] = "POST"
    response["Cache-Control"] = "no-store"
    return response
