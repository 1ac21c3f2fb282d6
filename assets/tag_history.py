"""The tags of assets over time, from the database."""

from __future__ import annotations

from collections.abc import Iterable

from core.dated_tags import DatedTags
from core.statements import rows

_SELECT = """
    SELECT asset_id, (extract(epoch FROM valid_from) * 1000000)::bigint, tags
    FROM assets_tagperiod WHERE asset_id = ANY(%s::bigint[]) ORDER BY asset_id, valid_from"""


def dated_tags_of(asset_ids: Iterable[int]) -> dict[int, DatedTags]:
    """Return the tags of assets over time, by asset id; assets that never had tags are missing."""
    periods: dict[int, list[tuple[int, frozenset[str]]]] = {}
    for asset_id, since_us, tags in rows(_SELECT, [[*asset_ids]]):
        periods.setdefault(asset_id, []).append((since_us, frozenset(tags)))
    return {asset_id: DatedTags(tuple(dated)) for asset_id, dated in periods.items()}
