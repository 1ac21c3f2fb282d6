"""Stretches of an asset's judged facts: plain values between memory and judging."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from core.fact_order import FactKey
from core.judged_fact import JudgedFact


class SavedState(Struct, frozen=True):
    """A checkpoint: the composite state after the fact at `key`, as bytes."""

    key: FactKey
    state: bytes


class Stretch(Struct, frozen=True):
    """The facts after the checkpoint `low`, up to and including the checkpoint `high`.

    None means from the first fact, or up to the newest.
    """

    low: SavedState | None
    high: SavedState | None
    facts: Sequence[JudgedFact]


class WantedStretch(Struct, frozen=True):
    """A stretch to load: around a key, or with `is_next` the stretch that begins at the key."""

    asset_id: int
    key: FactKey
    is_next: bool = False


class NewCheckpoint(Struct, frozen=True):
    """A checkpoint to write; it replaces a checkpoint of the same asset and key."""

    asset_id: int
    key: FactKey
    state: bytes
