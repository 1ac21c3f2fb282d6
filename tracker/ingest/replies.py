"""Replies to senders: a receipt, the fixed body of a wire format, or a problem document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from msgspec import Struct

from core.errors import (
    Fault,
    MethodNotAllowed,
    NotYourDevice,
    Refused,
    TooLarge,
    TrackerError,
    Unprocessable,
)
from core.rest.problem import MAX_FAULTS, new_request_id, problem_of
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
    """Return the problem document of an error; errors that are not ours are logged."""
    request_id = new_request_id()
    if not isinstance(error, TrackerError):
        log.error("the door failed", request=request_id, exc_info=error)
    status, headers, body = problem_of(error, request_id)
    if isinstance(error, MethodNotAllowed):
        headers = [*headers, ("Allow", ", ".join(error.methods))]
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    # The rest of a body that was not read would be parsed as the next request.
    if isinstance(error, TooLarge) or status in (408, 431):
        raw.append((b"connection", b"close"))
    return Reply(status, raw, body)


def _counts(**counts: int) -> dict[str, int]:
    names = ("stored", "duplicate", "set-aside", "refused", "spooled")
    return {"received": sum(counts.values())} | {
        name.replace("-", "_"): counts.get(name.replace("-", "_"), 0) for name in names
    }


# The reply to most requests, rendered once.
_STORED_REPLY = Reply(
    200,
    _JSON,
    orjson.dumps({"disposition": "stored", **_counts(stored=1), "errors": []}),
)


def reply_of(receipt: Receipt, wire_format: WireFormat) -> Reply:
    """Return the reply to a delivery. Raises a Refused if all observations were refused."""
    outcomes = receipt.outcomes
    if wire_format.success_body is not None:
        return Reply(200, _JSON, wire_format.success_body)
    if len(outcomes) == 1 and outcomes[0].disposition == "stored":
        return _STORED_REPLY
    if outcomes and all(outcome.disposition == "refused" for outcome in outcomes):
        raise refusal_of(outcomes)
    body = orjson.dumps(receipt_document(receipt))
    return Reply(_status(receipt, wire_format), _JSON, body)


def refusal_of(outcomes: tuple[ObservationOutcome, ...]) -> Refused:
    """Return the error for a delivery whose observations were all refused."""
    faults, fault_count = _faults_of(outcomes)
    codes = {outcome.code for outcome in outcomes}
    code = codes.pop() if len(codes) == 1 else "invalid"
    detail = "; ".join(dict.fromkeys(fault.detail for fault in faults[:3]))
    if code == NotYourDevice.code:
        return NotYourDevice(detail, faults=faults, fault_count=fault_count)
    return Unprocessable(detail, code=code, faults=faults, fault_count=fault_count)


def _faults_of(outcomes: Sequence[ObservationOutcome]) -> tuple[tuple[Fault, ...], int]:
    """Return the first faults of outcomes, and the number of all."""
    faults = tuple(fault for outcome in outcomes for fault in outcome.faults)
    more = sum(outcome.more_faults for outcome in outcomes)
    return faults[:MAX_FAULTS], len(faults) + more


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """Return the receipt as JSON: counts, and reasons for observations that were not stored."""
    counts: dict[str, int] = {}
    for outcome in receipt.outcomes:
        name = outcome.disposition.replace("-", "_")
        counts[name] = counts.get(name, 0) + 1
    document: dict[str, Any] = {}
    if len(receipt.outcomes) == 1:
        document["disposition"] = receipt.outcomes[0].disposition
    document |= _counts(**counts)
    if any(outcome.disposition != "stored" for outcome in receipt.outcomes):
        document["results"] = [_result(outcome) for outcome in receipt.outcomes]
    faults, fault_count = _faults_of(receipt.outcomes)
    document["errors"] = [
        {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail} for fault in faults
    ]
    if fault_count > len(faults):
        document["error_count"] = fault_count
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
    """Return 202 if observations are kept but not stored as positions yet, or there are none.

    A network server also sends joins and acknowledgements (fault F-162): 202. An empty list in our
    own JSON is 200.
    """
    dispositions = {outcome.disposition for outcome in receipt.outcomes}
    has_none = not dispositions and wire_format.is_lenient
    is_waiting = dispositions == {"set-aside"} or "spooled" in dispositions
    return 202 if has_none or is_waiting else 200
