"""The named sets of scopes from which most keys are made."""

from developers.models import ApiKey
from organizations.permissions import ALL_SCOPES, READ_SCOPES, Scope

PRESETS: dict[ApiKey.Preset, frozenset[Scope]] = {
    ApiKey.Preset.READ_ONLY: READ_SCOPES,
    ApiKey.Preset.READ_WRITE: ALL_SCOPES,
    # Finds rooms and books; never cancels, refunds or reads the customer list.
    ApiKey.Preset.AI_AGENT: frozenset({Scope.ROOMS_READ, Scope.SCHEDULES_READ, Scope.BOOKINGS_READ, Scope.BOOKINGS_WRITE}),
}
