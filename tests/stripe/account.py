"""Stripe's rules and words where localstripe has none of its own.

localstripe keeps the money: intents, charges and refunds are its rows. Around it, this adds what the product may rely on
at Stripe and localstripe leaves out: refusals with Stripe's codes, a second attempt after a decline, Stripe's test cards by
name, parameters that localstripe does not know, lists by time, and the news of every change.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import requests
import stripe

Row = dict[str, Any]
KINDS = {
    "pi": "payment_intents",
    "ch": "charges",
    "re": "refunds",
    "pm": "payment_methods",
    "cus": "customers",
    "txn": "balance_transactions",
}
FAILED_REFUNDS = ("failed", "canceled")  # their money is the merchant's again

# What Stripe takes and shows again; localstripe would refuse it.
KEPT: dict[str, Row] = {
    "payment_intents": {
        "automatic_payment_methods": None,
        "description": None,
        "payment_method_types": ["card"],
        "receipt_email": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "transfer_group": None,
    },
    "refunds": {"reason": None, "instructions_email": None},
}
MOVING = ("payment_method", "confirm", "off_session", "return_url", "error_on_requires_action", "mandate_data", "use_stripe_sdk")

DECLINED, AUTHENTICATED, AUTHENTICATED_THEN_DECLINED = "4000000000000341", "4000000000003220", "4000008400001629"
CARDS = {  # Stripe's name: the number that localstripe treats alike, and why the bank says no
    "pm_card_visa": ("4242424242424242", ""),
    "pm_card_mastercard": ("5555555555554444", ""),
    "pm_card_chargeDeclined": (DECLINED, "generic_decline"),
    "pm_card_visa_chargeDeclined": (DECLINED, "generic_decline"),
    "pm_card_chargeCustomerFail": (DECLINED, "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": (DECLINED, "insufficient_funds"),
    "pm_card_authenticationRequired": (AUTHENTICATED, ""),
    "pm_card_threeDSecure2Required": (AUTHENTICATED, ""),
    "pm_card_threeDSecureRequiredChargeDeclined": (AUTHENTICATED_THEN_DECLINED, "generic_decline"),
}


class Refused(Exception):
    """An answer other than 200, in Stripe's own shape."""

    def __init__(self, status: int, message: str, *, type: str = "invalid_request_error", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": type, **more}}


class Account:
    """One call at a time: the caller holds a lock."""

    def __init__(self, localstripe: str, tell: Callable[[Row], None]) -> None:
        self._url, self._publish = localstripe, tell
        self._http = requests.Session()
        self._http.headers["Authorization"] = "Bearer sk_test_stand_in"
        self.reset()

    def reset(self) -> None:
        self._http.delete(f"{self._url}/_config/data", timeout=30).raise_for_status()
        self._kept: dict[str, Row] = {}
        self._decline_codes: dict[str, str] = {}
        self._request: Row = {"id": None, "idempotency_key": None}
        self.refunds_to_pend = 0

    def close(self) -> None:
        self._http.close()

    # Calls

    def perform(self, method: str, path: str, params: Row, *, request: Row) -> Row:
        """What Stripe answers; raises Refused."""
        self._request = request
        params = dict(params)
        expand = params.pop("expand", [])
        for verb, pattern, call in self._routes():
            if verb == method and (found := re.fullmatch(pattern, path)):
                answer = call(self, *found.groups(), params)
                break
        else:
            answer = self._ask(method, path, params)
        for wanted in expand:
            self._expand(answer, wanted)
        return answer

    @staticmethod
    def _routes() -> list[tuple[str, str, Callable[..., Row]]]:
        return [
            ("POST", r"/v1/payment_intents", Account._create_intent),
            ("POST", r"/v1/payment_intents/(\w+)", Account._update_intent),
            ("POST", r"/v1/payment_intents/(\w+)/confirm", Account._confirm),
            ("POST", r"/v1/payment_intents/(\w+)/_authenticate", Account._authenticate),
            ("POST", r"/v1/payment_intents/(\w+)/cancel", Account._cancel),
            ("POST", r"/v1/refunds", Account._create_refund),
            ("POST", r"/v1/refunds/(\w+)", Account._update_refund),
            ("GET", r"/v1/(payment_intents|charges|refunds)", Account._list),
            ("GET", r"/v1/(?:payment_intents|charges|refunds|payment_methods)/(\w+)", lambda self, id, _: self._shown(id)),
        ]

    def _create_intent(self, params: Row) -> Row:
        moving, kept, params = _sort(params, "payment_intents")
        if moving.get("confirm") == "true" and "payment_method" not in moving:
            raise Refused(400, "You cannot confirm a PaymentIntent without a payment method.", param="payment_method")
        card = self._card(moving["payment_method"]) if "payment_method" in moving else None
        intent = self._ask("POST", "/v1/payment_intents", {**params, **({"payment_method": card} if card else {})})
        self._kept[intent["id"]] = KEPT["payment_intents"] | kept
        self._tell("payment_intent.created", intent["id"])
        if moving.get("confirm") == "true":
            return self._confirm(intent["id"], {})
        return self._shown(intent["id"])

    def _update_intent(self, id: str, params: Row) -> Row:
        moving, kept, params = _sort(params, "payment_intents")
        intent = self._row(id)
        if "payment_method" in moving or "amount" in params:
            self._expect(intent, "update", "requires_payment_method", "requires_confirmation", "requires_action")
        if "payment_method" in moving:  # whatever was wrong with the one before is forgotten
            params |= {"payment_method": self._card(moving["payment_method"]), "latest_charge": None, "next_action": None}
        if "amount" in params:
            params["amount"] = int(params["amount"])
        if params:
            self._ask("POST", f"/v1/payment_intents/{id}", params)
        self._kept[id] |= kept
        return self._shown(id)

    def _confirm(self, id: str, params: Row) -> Row:
        if "payment_method" in params:
            self._update_intent(id, {"payment_method": params["payment_method"]})
        self._expect(self._row(id), "confirm", "requires_confirmation")
        return self._attempt(id, "confirm", {})

    def _authenticate(self, id: str, params: Row) -> Row:
        """What the payer does in the bank's window; Stripe has no such call."""
        self._expect(self._row(id), "authenticate", "requires_action")
        return self._attempt(id, "_authenticate", params)

    def _attempt(self, id: str, step: str, params: Row) -> Row:
        try:
            self._ask("POST", f"/v1/payment_intents/{id}/{step}", params)
        except Refused as refused:
            if refused.status != 402:
                raise
        intent = self._row(id)
        charge, error = intent["latest_charge"], self._error(intent)
        if charge:
            self._tell("charge.failed" if error else "charge.succeeded", charge["id"])
        if error:
            self._tell("payment_intent.payment_failed", id)
            if charge:
                raise Refused(402, **error, payment_intent=self._shown(id))
        elif intent["status"] != "requires_capture":
            self._tell(f"payment_intent.{intent['status']}", id)
        return self._shown(id)

    def _cancel(self, id: str, params: Row) -> Row:
        cancelable = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")
        self._expect(self._row(id), "cancel", *cancelable)
        self._ask("POST", f"/v1/payment_intents/{id}/cancel", {})
        self._kept[id] |= {"canceled_at": int(time.time()), "cancellation_reason": params.get("cancellation_reason")}
        self._tell("payment_intent.canceled", id)
        return self._shown(id)

    def _create_refund(self, params: Row) -> Row:
        _, kept, params = _sort(params, "refunds")
        charge = self._row(params["charge"]) if "charge" in params else self._row(params["payment_intent"])["latest_charge"]
        if not charge or charge["status"] != "succeeded":
            raise Refused(
                400, f"This PaymentIntent ({params.get('payment_intent')}) does not have a successful charge to refund."
            )
        left = charge["amount"] - self._given_back(charge["id"])
        amount = int(params.get("amount", left))
        if not left:
            raise Refused(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if amount > left:
            message = f"Refund amount ({amount / 100:.2f}) is greater than unrefunded amount on charge ({left / 100:.2f})"
            raise Refused(400, message, param="amount")
        id = self._ask("POST", "/v1/refunds", {**params, "amount": amount})["id"]
        self._kept[id] = KEPT["refunds"] | kept | {"payment_intent": charge["payment_intent"]}
        if self.refunds_to_pend:
            self.refunds_to_pend -= 1
            self._ask("POST", f"/v1/refunds/{id}", {"status": "pending"})
        self._tell("refund.created", id)
        self._tell("charge.refunded", charge["id"])
        return self._shown(id)

    def _update_refund(self, id: str, params: Row) -> Row:
        self._ask("POST", f"/v1/refunds/{id}", {"metadata": params["metadata"]})
        self._tell("refund.updated", id)
        return self._shown(id)

    def end_refund(self, id: str, status: str, failure_reason: str = "") -> None:
        """The bank's last word, hours or days later."""
        self._request = {"id": None, "idempotency_key": None}
        self._ask("POST", f"/v1/refunds/{id}", {"status": status})
        if failure_reason:
            self._kept[id]["failure_reason"] = failure_reason
            self._tell("refund.failed", id)
        self._tell("refund.updated", id)
        self._tell("charge.refund.updated", id)

    def _list(self, kind: str, params: Row) -> Row:
        """Newest first, by `payment_intent`, `charge`, `customer` and `created`, in pages."""
        rows = list(reversed([self._shown(row["id"]) for row in self.rows(kind)]))
        for name in ("payment_intent", "charge", "customer"):
            if name in params:
                rows = [row for row in rows if row.get(name) == params[name]]
        bounds = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
        for bound, moment in params.get("created", {}).items():
            rows = [row for row in rows if bounds[bound](row["created"], int(moment))]
        if "starting_after" in params:
            ids = [row["id"] for row in rows]
            rows = rows[ids.index(params["starting_after"]) + 1 :]
        page = rows[: int(params.get("limit", 10))]
        return {"object": "list", "url": f"/v1/{kind}", "has_more": len(rows) > len(page), "data": page}

    # Rows, as localstripe has them and as Stripe shows them

    def rows(self, kind: str) -> list[Row]:
        rows: list[Row] = self._ask("GET", f"/v1/{kind}", {"limit": 1_000_000})["data"]
        return sorted(rows, key=lambda row: row["created"])

    def _row(self, id: str) -> Row:
        return self._ask("GET", f"/v1/{KINDS[id.partition('_')[0]]}/{id}", {})

    def _shown(self, id: str) -> Row:
        row = self._row(id)
        hidden = ("charges", "invoice", "refunds", "date", "three_d_secure_usage")
        shown = {name: value for name, value in row.items() if name not in hidden}
        if row["object"] == "payment_intent":
            charge, error = row["latest_charge"], self._error(row)
            shown |= {
                "amount_received": charge["amount"] if row["status"] == "succeeded" else 0,
                "latest_charge": charge and charge["id"],
                "last_payment_error": error,
                "payment_method": None if row["status"] == "requires_payment_method" else row["payment_method"],
                "cancellation_reason": None,
                "canceled_at": None,
            }
        if row["object"] == "charge":
            given_back = self._given_back(id)
            shown |= {"amount_refunded": given_back, "refunded": given_back >= row["amount"]}
        return shown | self._kept.get(id, {})

    def _expand(self, row: Row, path: str) -> None:
        name, _, rest = path.partition(".")
        if name not in row:
            raise Refused(400, f"This property cannot be expanded ({name}).", param="expand")
        if isinstance(row[name], str):
            row[name] = self._shown(row[name]) if row[name].partition("_")[0] in KINDS else row[name]
        for deeper in (row[name] if isinstance(row[name], list) else [row[name]]) if rest else []:
            if deeper:
                self._expand(deeper, rest)

    def _given_back(self, charge: str) -> int:
        refunds = self._ask("GET", "/v1/refunds", {"charge": charge, "limit": 1_000_000})["data"]
        return sum(refund["amount"] for refund in refunds if refund["status"] not in FAILED_REFUNDS)

    def _error(self, intent: Row) -> Row | None:
        error: Row | None = intent["last_payment_error"]
        if not error or intent["status"] != "requires_payment_method":
            return None
        error = {**error, "type": "card_error" if "charge" in error else "invalid_request_error"}
        if "charge" in error:
            error["decline_code"] = self._decline_codes.get(intent["payment_method"], "generic_decline")
        return error

    def _card(self, name: str) -> str:
        """The id of a payment method; one of Stripe's names makes a new one, as at Stripe."""
        if name not in CARDS:
            return str(self._row(name)["id"])
        number, decline_code = CARDS[name]
        card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        id: str = self._ask("POST", "/v1/payment_methods", {"type": "card", "card": card})["id"]
        self._decline_codes[id] = decline_code
        return id

    def _expect(self, intent: Row, verb: str, *statuses: str) -> None:
        if intent["status"] not in statuses:
            message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
            code = "payment_intent_unexpected_state"
            raise Refused(400, message, code=code, payment_intent=self._shown(intent["id"]))

    def _tell(self, type: str, id: str) -> None:
        self._publish(
            {
                "id": f"evt_{uuid.uuid4().hex[:24]}",
                "object": "event",
                "api_version": stripe.api_version,
                "created": int(time.time()),
                "data": {"object": self._shown(id)},
                "livemode": False,
                "pending_webhooks": 1,
                "request": self._request,
                "type": type,
            }
        )

    def _ask(self, method: str, path: str, params: Row) -> Row:
        """localstripe's answer; its refusals in Stripe's words."""
        passing: Row = {"params": params} if method == "GET" else {"json": params} if params else {}
        answer = self._http.request(method, self._url + path, timeout=30, **passing)
        if answer.ok:
            return dict(answer.json())
        if answer.status_code == 404:
            raise Refused(404, f"No such object: '{path.rpartition('/')[2]}'", code="resource_missing", param="id")
        error = answer.json()["error"] if "json" in answer.headers["content-type"] else {"message": answer.text}
        raise Refused(answer.status_code, error["message"])


def _sort(params: Row, kind: str) -> tuple[Row, Row, Row]:
    """Those that set something in motion, those that are only kept, and those for localstripe."""

    def chosen(names: Any) -> Iterator[tuple[str, Any]]:
        return ((name, value) for name, value in params.items() if name in names)

    rest = {name for name in params if name not in MOVING and name not in KEPT[kind]}
    return dict(chosen(MOVING)), _with_booleans(dict(chosen(KEPT[kind]))), dict(chosen(rest))


def _with_booleans(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_booleans(inner) for name, inner in value.items()}
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
