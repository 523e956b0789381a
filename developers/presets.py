"""The named sets of scopes from which most keys are made."""

from common.money import exponent
from developers.models import ApiKey
from developers.rules import KeyRules
from organizations.permissions import ALL_SCOPES, LOOKING_SCOPES, Scope

PRESETS: dict[ApiKey.Preset, frozenset[Scope]] = {
    ApiKey.Preset.READ_ONLY: LOOKING_SCOPES,
    ApiKey.Preset.READ_WRITE: ALL_SCOPES,
    # Finds rooms and books; never cancels, refunds or reads the customer list.
    ApiKey.Preset.AI_AGENT: frozenset({Scope.ROOMS_READ, Scope.SCHEDULES_READ, Scope.BOOKINGS_READ, Scope.BOOKINGS_WRITE}),
}


def suggested_rules(preset: ApiKey.Preset, currency: str) -> KeyRules | None:
    """What a new key of that preset is offered: an agent gets room for a few ordinary games, and no more."""
    if preset != ApiKey.Preset.AI_AGENT:
        return None
    hundred = 10_000 * 10 ** max(0, exponent(currency) - 2)  # as much in yen as in cents: their games cost alike
    return KeyRules(currency=currency, max_amount_per_booking=5 * hundred, max_amount_per_day=20 * hundred, max_open_holds=3)
