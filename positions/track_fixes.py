"""All fixes of an asset in a period, as columns, for its track."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from core.errors import Fault, Refused
from positions.deciding_fixes import DECIDES
from positions.position_queries import DeviceSpans
from positions.track_simplifying import Fixes

# Some 100 MB on their way through the process.
MAX_FIXES = 2_000_000

# PostgreSQL counts µs from 2000.
_POSTGRES_EPOCH_US = 946_684_800_000_000
# One row of arrays, since each row of a copy costs Python more than all else together.
_SELECT = f"""
    COPY (
        SELECT array_agg(measured_at), array_agg(ST_X(point)), array_agg(ST_Y(point)) FROM (
            SELECT p.measured_at, p.point
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])
                AS s(device_id, since, until)
            JOIN positions_position p ON p.device_id = s.device_id
                AND p.measured_at >= s.since AND p.measured_at < s.until
            WHERE {DECIDES}
            LIMIT {MAX_FIXES + 1}
        ) fixes
    ) TO STDOUT (FORMAT binary)"""
# PGCOPY: a header and a count of fields. A field: its length, five words about the array,
# then each element behind its own length; none is null.
_FIRST_FIELD = 19 + 2
_LENGTH_BYTES, _ARRAY_HEADER_BYTES = 4, 20
_NULL = -1


def fixes_of(spans: DeviceSpans) -> Fixes:
    """Return the fixes in order of time. Raises Refused if they are too many."""
    at, lon_deg, lat_deg = _columns(_copied(spans.parameters), (">i8", ">f8", ">f8"))
    if len(at) > MAX_FIXES:
        fault = Fault(pointer="/query/from", code="invalid", detail="Ask for a shorter time.")
        raise Refused(f"More than {MAX_FIXES} fixes.", code="invalid-parameter", faults=(fault,))
    order = np.argsort(at, kind="stable")
    return Fixes(
        lon_deg[order].astype(np.float64),
        lat_deg[order].astype(np.float64),
        at[order].astype(np.int64) + _POSTGRES_EPOCH_US,
    )


def _columns(copied: bytes, kinds: Iterable[str]) -> list[NDArray[Any]]:
    """Return each array of the copied row, as a view of its bytes."""
    columns, begin = [], _FIRST_FIELD
    for kind in kinds:
        length = int.from_bytes(copied[begin : begin + _LENGTH_BYTES], signed=True)
        begin += _LENGTH_BYTES
        element = np.dtype([("length", ">i4"), ("value", kind)])
        count = 0 if length == _NULL else (length - _ARRAY_HEADER_BYTES) // element.itemsize
        if count:
            elements = np.frombuffer(copied, element, count, begin + _ARRAY_HEADER_BYTES)
        else:
            elements = np.empty(0, element)
        columns.append(elements["value"])
        begin += max(length, 0)
    return columns


def _copied(parameters: list[Any]) -> bytes:
    # Mogrified: Django's cursor that logs statements, as in debugging, copies without parameters.
    with (
        connection.cursor() as cursor,
        cursor.copy(cursor.mogrify(_SELECT, parameters)) as copy,
    ):
        return b"".join(copy)
