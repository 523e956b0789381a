"""How news gets out: relay, claim, send, record, over and over, each step safe to be killed in.

Every step works on rows. A worker that dies leaves leases that run out; a Redis that is emptied leaves work that the next
sweep finds.
"""

from webhooks.engine.drain import drain

__all__ = ["drain"]
