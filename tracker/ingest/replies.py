"""What a sender reads: a receipt, the words that it waits for, or a problem document."""

from __future__ import annotations

from typing import Any

import orjson
import structlog
from msgspec import Struct

from core.errors import (
    MethodNotAllowed,
    NotYourDevice,
    Refused,
    TooLarge,
    TrackerError,
    Unprocessable,
)
from core.rest.problem import new_request_id, problem_of
from core.time_texts import rfc3339
from tracker.road.delivery import ObservationOutcome, Receipt
from wire.wire_format import WireFormat

log = structlog.get_logger(__name__)

_JSON = [(b"content-type", b"application/json")]


class Reply(Struct, frozen=True):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def problem_reply(error: Exception) -> Reply:
    """Return the problem document for what was raised; what is not ours is logged."""
    request_id = new_request_id()
    if not isinstance(error, TrackerError):
        log.error("the door failed", request=request_id, exc_info=error)
    status, headers, body = problem_of(error, request_id)
    if isinstance(error, MethodNotAllowed):
        headers = [*headers, ("Allow", ", ".join(error.methods))]
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    # A body that was not read to its end would be taken for the next request.
    if isinstance(error, TooLarge) or status in (408, 431):
        raw.append((b"connection", b"close"))
    return Reply(status, raw, body)


def _summary(**counts: int) -> dict[str, int]:
    names = ("stored", "duplicate", "set-aside", "refused", "spooled")
    return {"received": sum(counts.values())} | {
        name.replace("-", "_"): counts.get(name.replace("-", "_"), 0) for name in names
    }


# Nearly all answers are this one.
_STORED = Reply(
    200,
    _JSON,
    orjson.dumps({"disposition": "stored", **_summary(stored=1), "errors": []}),
)


def reply_of(receipt: Receipt, wire_format: WireFormat) -> Reply:
    """Return the answer to a delivery. Raises a Refused where nothing of it could be used."""
    outcomes = receipt.outcomes
    if wire_format.success_body is not None:
        return Reply(200, _JSON, wire_format.success_body)
    if len(outcomes) == 1 and outcomes[0].disposition == "stored":
        return _STORED
    if outcomes and all(outcome.disposition == "refused" for outcome in outcomes):
        raise refusal_of(outcomes)
    body = orjson.dumps(receipt_document(receipt))
    return Reply(_status(receipt, wire_format), _JSON, body)


def refusal_of(outcomes: tuple[ObservationOutcome, ...]) -> Refused:
    """Return the one error that a wholly refused delivery amounts to."""
    faults = tuple(fault for outcome in outcomes for fault in outcome.faults)
    codes = {outcome.code for outcome in outcomes}
    code = codes.pop() if len(codes) == 1 else "invalid"
    detail = "; ".join(dict.fromkeys(fault.detail for fault in faults[:3]))
    if code == NotYourDevice.code:
        return NotYourDevice(detail, faults=faults)
    return Unprocessable(detail, code=code, faults=faults)


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """Return the receipt as JSON: counts, and of what was not simply stored, why."""
    counts: dict[str, int] = {}
    for outcome in receipt.outcomes:
        name = outcome.disposition.replace("-", "_")
        counts[name] = counts.get(name, 0) + 1
    document: dict[str, Any] = {}
    if len(receipt.outcomes) == 1:
        document["disposition"] = receipt.outcomes[0].disposition
    document |= _summary(**counts)
    if any(o.disposition != "stored" for o in receipt.outcomes):
        document["results"] = [_result(outcome) for outcome in receipt.outcomes]
    document["errors"] = [
        {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail}
        for outcome in receipt.outcomes
        for fault in outcome.faults
    ]
    return document


def _result(outcome: ObservationOutcome) -> dict[str, Any]:
    result: dict[str, Any] = {"index": outcome.index, "disposition": outcome.disposition}
    if outcome.code:
        result["code"] = outcome.code
    if outcome.position:
        device_id, measured_at = outcome.position
        result["position"] = {"device": device_id, "measured_at": rfc3339(measured_at)}
    return result


def _status(receipt: Receipt, wire_format: WireFormat) -> int:
    """202 where something is kept but not yet where it belongs, or was no observation.

    A hook also brings joins and acknowledgements (fault F-162); an empty batch of ours is 200.
    """
    dispositions = {outcome.disposition for outcome in receipt.outcomes}
    is_noted = not dispositions and wire_format.is_lenient
    is_waiting = dispositions == {"set-aside"} or "spooled" in dispositions
    return 202 if is_noted or is_waiting else 200
