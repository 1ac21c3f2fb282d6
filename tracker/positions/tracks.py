"""All fixes of an asset in a period, as columns: what a track is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import connection

from tracker.errors import Fault, Refused
from tracker.positions.reading import Spans
from tracker.positions.simplifying import Fixes

# Some 100 MB on their way through the process.
MAX_FIXES = 2_000_000

# PGCOPY, as in `latest`: a count of fields, then a length and eight bytes each, none null.
_ROW = np.dtype(
    [("fields", ">i2"), ("l1", ">i4"), ("at", ">i8"), ("l2", ">i4"), ("lon", ">f8"),
     ("l3", ">i4"), ("lat", ">f8")]
)  # fmt: skip
_HEADER_BYTES, _TRAILER_BYTES = 19, 2
# PostgreSQL counts µs from 2000.
_POSTGRES_EPOCH_US = 946_684_800_000_000
# A time from a clock that is wrong, or a place that is a gateway's, is no part of the way.
_SELECT = f"""
    COPY (
        SELECT p.measured_at, ST_X(p.point), ST_Y(p.point)
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])
            AS s(device_id, since, until)
        JOIN positions_position p ON p.device_id = s.device_id
            AND p.measured_at >= s.since AND p.measured_at < s.until
        WHERE p.point IS NOT NULL AND NOT p.is_clock_suspect AND p.method <> 'gateway'
        LIMIT {MAX_FIXES + 1}
    ) TO STDOUT (FORMAT binary)"""


def fixes_of(spans: Spans) -> Fixes:
    """Return the fixes in order of time. Raises Refused where they are too many."""
    rows = np.frombuffer(_copied(spans.parameters)[_HEADER_BYTES:-_TRAILER_BYTES], dtype=_ROW)
    if len(rows) > MAX_FIXES:
        fault = Fault(pointer="/query/from", code="invalid", detail="Ask for a shorter time.")
        raise Refused(f"More than {MAX_FIXES} fixes.", code="invalid-parameter", faults=(fault,))
    at_us = rows["at"].astype(np.int64) + _POSTGRES_EPOCH_US
    order = np.argsort(at_us, kind="stable")
    return Fixes(
        rows["lon"].astype(np.float64)[order], rows["lat"].astype(np.float64)[order], at_us[order]
    )


def _copied(parameters: list[Any]) -> bytes:
    with connection.cursor() as cursor, cursor.copy(_SELECT, parameters) as copy:
        return b"".join(copy)
