"""Settings → Developers → Playground: calls of the real API, from a form."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from common.errors import NotFound
from dashboard.access import PageRequest, page
from dashboard.forms.playground import OperationForm
from dashboard.highlight import described
from dashboard.inside import ask
from dashboard.samples import Samples, example_of
from developers import playground
from developers.examples import Example
from developers.operations import TAGS, Operation, operations
from developers.request_log import find_entry
from organizations.actor import Actor
from rooms.services import sandbox_for

FIRST = "list_rooms"


@page()
def developers_playground(request: PageRequest) -> HttpResponse:
    """The operation of `?operation=`, filled in as an example or from the entry `?log=`; on the sandbox unless `?mode=live`."""
    actor, operation = _actor(request), _operation(request)
    logged = find_entry(by=actor, id=request.GET["log"]) if request.GET.get("log") else None
    example = example_of(logged) if logged else Samples(actor).example(operation)
    form = _form(actor, operation, example=example)
    context = {
        "call": OperationForm(operation, form.initial).preview(),
        "logged": logged,
        "lacks_body": logged and operation.takes_body and example.body is None,
    }
    return render(request, "dashboard/developers/playground.html", _context(request, actor, form, **context))


@page(methods=("POST",))
def playground_curl(request: PageRequest) -> HttpResponse:
    """The command for what is typed so far."""
    form = _form(_actor(request), _operation(request), request.POST)
    return render(request, "dashboard/developers/playground_curl.html", {"call": form.preview(), "form": form})


@page(methods=("POST",))
def playground_token(request: PageRequest) -> JsonResponse:
    """The call that the form makes, and a token to make it with; 422 when the form has errors."""
    actor = _actor(request)
    form = _form(actor, _operation(request), request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    call = form.call()
    return JsonResponse(
        {
            "token": _token(request, actor),
            "method": call.method,
            "path": call.path,
            "headers": call.headers,
            "body": call.body_text,
        }
    )


@page(methods=("POST",))
def playground_run(request: PageRequest) -> HttpResponse:
    """For browsers without scripts: the same call, made here."""
    actor = _actor(request)
    form = _form(actor, _operation(request), request.POST)
    answer = None
    if form.is_valid():
        answer = ask(form.call(), _token(request, actor), visitor=request)
    context = _context(request, actor, form, call=form.preview(), answer=answer)
    return render(request, "dashboard/developers/playground.html", context, status=200 if answer else 422)


def _operation(request: PageRequest) -> Operation:
    """Raises NotFound."""
    operation = operations().get(request.POST.get("operation") or request.GET.get("operation") or FIRST)
    if operation is None:
        raise NotFound("operation")
    return operation


def _actor(request: PageRequest) -> Actor:
    """Who acts, on the sandbox unless live mode is asked for. The sandbox is made when it is first wanted."""
    live = request.membership.organization
    is_live = (request.POST.get("mode") or request.GET.get("mode")) == "live"
    on = live if is_live else getattr(live, "sandbox", None) or sandbox_for(live)
    return Actor.member(request.membership, request_id=request.request_id, organization=on)


def _form(actor: Actor, operation: Operation, data: Any = None, *, example: Example = Example()) -> OperationForm:
    """A write on live data has to be confirmed in words."""
    is_live = actor.organization.mode == "live"
    return OperationForm(
        operation, data, example=example, confirm=actor.organization.name if is_live and operation.writes else ""
    )


def _token(request: PageRequest, actor: Actor) -> str:
    return playground.mint(by=actor, session_key=request.session.session_key or "")


def _context(request: PageRequest, actor: Actor, form: OperationForm, **more: Any) -> dict[str, Any]:
    operation, mode = form.operation, actor.organization.mode
    here = reverse("dashboard:developers_playground")
    return {
        "form": form,
        "operation": operation,
        "about": described(operation.description),
        "groups": [(tag, [one for one in operations().values() if one.tag == tag]) for tag in TAGS],
        "run_mode": mode,
        "modes": [
            {"label": "Test", "url": f"{here}?operation={operation.id}", "active": mode == "test"},
            {"label": "Live", "url": f"{here}?operation={operation.id}&mode=live", "active": mode == "live"},
        ],
        "allowed": not operation.scope or operation.scope in actor.scopes,
        **more,
    }
