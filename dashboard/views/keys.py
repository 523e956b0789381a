"""API keys: made, shown once, rotated, revoked. Test keys belong to the live organization and act on its twin."""

import datetime as dt
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from common.errors import DomainError, NotFound
from dashboard import once
from dashboard.access import PageRequest, page
from dashboard.forms.errors import refused
from dashboard.forms.key_rules import EditKeyForm, sentences
from dashboard.forms.keys import KeyForm, RotateKeyForm, TypedNameForm
from dashboard.paging import page_of
from developers.models import ApiKey, ApiKeySecret
from developers.presets import suggested_rules
from developers.rules import UNBOUND
from developers.services import create_key, find_key, revoke_key, rotate_key, update_key
from organizations.actor import Actor
from organizations.permissions import Scope
from rooms.models import Room

EXPIRES_SOON = dt.timedelta(days=14)
QUIET = dt.timedelta(days=1)  # without a use: the secret can go


@dataclass
class Look:
    """A key as pages show it, from its loaded secrets, the newest first."""

    key: ApiKey
    secrets: list[ApiKeySecret] = field(default_factory=list)

    @property
    def live(self) -> list[ApiKeySecret]:
        return [secret for secret in self.secrets if secret.is_live]

    @property
    def shown(self) -> ApiKeySecret | None:
        """The one that stands for the key."""
        return next(iter(self.live or self.secrets), None)

    @property
    def old(self) -> ApiKeySecret | None:
        """What a rotation is to replace."""
        return self.live[-1] if len(self.live) > 1 else None

    @property
    def old_is_quiet(self) -> bool:
        used = self.old and self.old.last_used_at
        return not used or timezone.now() - used > QUIET

    @property
    def last_used(self) -> ApiKeySecret | None:
        used = [secret for secret in self.secrets if secret.last_used_at]
        return max(used, key=lambda secret: secret.last_used_at or secret.created_at, default=None)

    @property
    def state(self) -> str:
        """`live`, `expiring`, `expired` or `revoked`."""
        if not self.live:
            return "revoked"
        left = self.key.expires_at - timezone.now() if self.key.expires_at else None
        if left is None or left > EXPIRES_SOON:
            return "live"
        return "expiring" if left > dt.timedelta() else "expired"

    @property
    def scopes(self) -> list[Scope]:
        return [Scope(scope) for scope in self.key.scopes]


def owner(request: PageRequest) -> Actor:
    """The person, on the live organization, whose the keys of both modes are."""
    return Actor.member(request.membership, request_id=request.request_id)


def acting(request: PageRequest, key: ApiKey) -> Actor:
    """The person, on the organization that the key acts on."""
    organization = key.acts_on if key.has_somewhere_to_act else None
    return Actor.member(request.membership, organization=organization, request_id=request.request_id)


def rooms_of(actor: Actor) -> list[Room]:
    """Those that are or will be booked, by venue and name."""
    return list(Room.objects.visible_to(actor).exclude(status=Room.Status.ARCHIVED).order_by("venue__name", "name"))


def find(request: PageRequest, public_id: str) -> Look:
    """Raises NotFound."""
    key = find_key(by=owner(request), public_id=public_id)
    return Look(key, list(key.secrets.all()))


@page(administrators=True)
def keys(request: PageRequest) -> HttpResponse:
    ours = ApiKey.objects.visible_to(owner(request)).select_related("created_by").prefetch_related("secrets")
    pager = page_of(ours, request)
    looks = [Look(key, list(key.secrets.all())) for key in pager.rows]
    return render(request, "dashboard/developers/keys.html", {"looks": looks, "pager": pager})


@page(administrators=True)
def key(request: PageRequest, public_id: str) -> HttpResponse:
    """With a secret that was just made, this once."""
    look = find(request, public_id)
    context = {
        "look": look,
        "key": look.key,
        "secret": once.take(request, public_id),
        "base": f"{settings.PUBLIC_URL}/api/v1/public",
        "rules": list(sentences(look.key, rooms_of(acting(request, look.key)))),
        "plan": request.membership.organization.plan,
    }
    return render(request, "dashboard/developers/key.html", context)


@page(administrators=True, recent=True, methods=("GET", "POST"))
def new_key(request: PageRequest) -> HttpResponse:
    """`?preset=ai_agent` fills in what is suggested for one."""
    mode = ApiKey.Mode(request.actor.organization.mode)
    rooms = rooms_of(request.actor)
    preset = request.GET.get("preset", "") if request.GET.get("preset") in ApiKey.Preset else ApiKey.Preset.READ_ONLY
    currency = rooms[0].pricing["currency"] if rooms else "EUR"
    form = KeyForm(
        request.POST if request.method == "POST" else None,
        rooms=rooms,
        rules=suggested_rules(ApiKey.Preset(preset), currency) or UNBOUND,
        initial={"preset": preset},
    )
    if form.is_valid():
        try:
            made, secret = create_key(by=owner(request), mode=mode, **form.asked)
        except DomainError as error:
            refused(form, error)
        else:
            once.keep(request, made.public_id, secret)
            return redirect("dashboard:developers_key", made.public_id)
    context = {"form": form, "plan": request.membership.organization.plan}
    return render(request, "dashboard/developers/new_key.html", context, status=422 if form.errors else 200)


@page(administrators=True, recent=True, methods=("GET", "POST"))
def edit(request: PageRequest, public_id: str) -> HttpResponse:
    look = find(request, public_id)
    form = EditKeyForm(
        request.POST if request.method == "POST" else None, key=look.key, rooms=rooms_of(acting(request, look.key))
    )
    if form.is_valid():
        try:
            update_key(by=owner(request), key=look.key, name=form.cleaned_data["name"], rules=form.key_rules)
        except DomainError as error:
            refused(form, error)
        else:
            messages.success(request, "Saved: it holds from the key's next request on.")
            return redirect("dashboard:developers_key", public_id)
    context = {"form": form, "look": look, "key": look.key}
    return render(request, "dashboard/developers/edit_key.html", context, status=422 if form.errors else 200)


@page(administrators=True, recent=True, methods=("GET", "POST"))
def rotate(request: PageRequest, public_id: str) -> HttpResponse:
    look = find(request, public_id)
    form = RotateKeyForm(request.POST if request.method == "POST" else None, only_now=len(look.live) > 1)
    if form.is_valid():
        try:
            secret = rotate_key(by=owner(request), key=look.key, overlap=form.length)
        except DomainError as error:
            refused(form, error)
        else:
            once.keep(request, public_id, secret)
            return redirect("dashboard:developers_key", public_id)
    context = {"form": form, "look": look, "key": look.key}
    return render(request, "dashboard/developers/rotate_key.html", context, status=422 if form.errors else 200)


@page(administrators=True, recent=True, methods=("GET", "POST"))
def revoke(request: PageRequest, public_id: str) -> HttpResponse:
    look = find(request, public_id)
    form = TypedNameForm(request.POST if request.method == "POST" else None, name=look.key.name)
    if form.is_valid():
        revoke_key(by=owner(request), key=look.key)
        messages.success(request, f"{look.key.name} is revoked: the next request with it is refused.")
        return redirect("dashboard:developers_keys")
    context = {"form": form, "look": look, "key": look.key}
    return render(request, "dashboard/developers/revoke_key.html", context, status=422 if form.errors else 200)


@page(administrators=True, recent=True, methods=("GET", "POST"))
def revoke_secret(request: PageRequest, public_id: str) -> HttpResponse:
    """One of the key's live secrets, `?secret=` by its first letters; the oldest where none is named."""
    look = find(request, public_id)
    wanted = (request.POST if request.method == "POST" else request.GET).get("secret", "")
    secret = next((one for one in reversed(look.live) if wanted in ("", one.prefix)), None)
    if secret is None:
        raise NotFound("live secret of this key")
    if request.method == "POST":
        revoke_key(by=owner(request), key=look.key, prefix=secret.prefix)
        messages.success(request, f"{secret} is revoked: the next request with it is refused.")
        return redirect("dashboard:developers_key", public_id)
    context = {"look": look, "key": look.key, "one": secret, "is_last": len(look.live) == 1}
    return render(request, "dashboard/developers/revoke_secret.html", context)
