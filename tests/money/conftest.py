"""Haste, where it is only about waiting."""

import pytest
import stripe as stripe_library


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe's library tries again at once."""
    monkeypatch.setattr(stripe_library.HTTPClient, "INITIAL_DELAY", 0.01)
    monkeypatch.setattr(stripe_library.HTTPClient, "MAX_DELAY", 0.05)
