"""Which tags assets carried when."""

from __future__ import annotations

from collections.abc import Iterable

from core.dated_tags import DatedTags
from core.statements import rows

_SELECT = """
    SELECT asset_id, (extract(epoch FROM valid_from) * 1000000)::bigint, tags
    FROM assets_tagperiod WHERE asset_id = ANY(%s::bigint[]) ORDER BY asset_id, valid_from"""


def dated_tags_of(asset_ids: Iterable[int]) -> dict[int, DatedTags]:
    """Return the tags of assets over time; those that never had any are not there."""
    periods: dict[int, list[tuple[int, frozenset[str]]]] = {}
    for asset_id, since_us, tags in rows(_SELECT, [[*asset_ids]]):
        periods.setdefault(asset_id, []).append((since_us, frozenset(tags)))
    return {asset_id: DatedTags(tuple(each)) for asset_id, each in periods.items()}
