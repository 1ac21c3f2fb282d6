"""The registry: the source of each token, and the asset of each device over time, in memory.

The road uses it for each uplink, without asking the database. The registry is a copy at some
revision; `refresh` loads the changes since then. Because each change raises the revision under a
row lock, a transaction that locks its assets and then still sees the copy's revision has resolved
its devices right.
"""

from __future__ import annotations

import threading
from datetime import datetime
from functools import lru_cache

import msgspec
from django.utils import timezone
from msgspec import Struct, structs

from accounts.tokens import digest_of
from core.statements import records, rows
from wire.device_model import DeviceModel, FieldRule

# The same few tokens come with each uplink.
_digest_of = lru_cache(maxsize=10_000)(digest_of)

_FAR_PAST_US = -(1 << 62)
_FAR_FUTURE_US = 1 << 62


class Origin(Struct, frozen=True, kw_only=True):
    """The organisation, and the source if there is one, on whose behalf deliveries arrive.

    `device_id` is set if its token is for one device only.
    """

    organisation_id: int
    source_id: int | None = None
    device_id: int | None = None
    registers_devices: bool = False


class SourceEntry(Struct, frozen=True):
    """The entry of a token: its origin, and the wire format of its source."""

    origin: Origin
    wire_format: str
    valid_until: datetime | None = None


class AssignmentSpan(Struct, frozen=True):
    """A period of a device on an asset, from `since_us` until before `until_us`."""

    asset_id: int
    since_us: int
    until_us: int


class DeviceEntry(Struct, frozen=True):
    """A device as the intake and the road need it. `model` is None if it is not known."""

    id: int
    organisation_id: int
    spans: tuple[AssignmentSpan, ...]
    model: DeviceModel | None = None

    def asset_at(self, at_us: int) -> int | None:
        """Return the id of the asset that the device was on at `at_us`, if any."""
        for span in self.spans:
            if span.since_us <= at_us < span.until_us:
                return span.asset_id
        return None


class Registry:
    """The copy in memory. Reading needs no lock; `refresh` may be called from any thread."""

    def __init__(self) -> None:
        self.revision = -1
        self._sources: dict[str, SourceEntry] = {}
        self._devices: dict[tuple[int, str], DeviceEntry] = {}
        self._identifiers: dict[int, str] = {}
        self._refreshing = threading.Lock()

    def source_of_token(self, token: str) -> SourceEntry | None:
        """Return the source of `token`; None if the token is unknown, revoked or expired."""
        entry = self._sources.get(_digest_of(token))
        if entry and entry.valid_until and entry.valid_until <= timezone.now():
            return None
        return entry

    def device(self, organisation_id: int, identifier: str) -> DeviceEntry | None:
        return self._devices.get((organisation_id, identifier))

    def model_of(self, organisation_id: int, identifier: str) -> DeviceModel | None:
        device = self._devices.get((organisation_id, identifier))
        return None if device is None else device.model

    def identifier_of(self, device_id: int) -> str | None:
        return self._identifiers.get(device_id)

    def refresh(self) -> bool:
        """Load the changes since the last time. Returns whether there were any."""
        with self._refreshing:
            latest = revision_in_database()
            if latest == self.revision:
                return False
            # Read after the revision: a change after it is loaded again next time, harmlessly.
            # Devices first: a token must not be valid before its devices are known.
            self._load_devices(since=self.revision)
            self._load_sources()
            self.revision = latest
            return True

    def _load_sources(self) -> None:
        sources = records(
            _entries_of_source,
            "SELECT id AS source_id, organisation_id, wire_format, device_id,"
            " unknown_devices = 'register' AS registers_devices,"
            " digest, previous_digest, previous_valid_until"
            " FROM assets_source WHERE revoked_at IS NULL",
        )
        self._sources = {digest: entry for entries in sources for digest, entry in entries.items()}

    def _load_devices(self, since: int) -> None:
        found = records(
            _device_entry,
            "SELECT d.id AS device_id, d.organisation_id, d.identifier, d.model,"
            " d.field_map::text AS field_map, d.week_rounds,"
            " coalesce(array_agg(a.asset_id ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL), '{}')"
            " AS asset_ids,"
            " coalesce(array_agg((extract(epoch FROM lower(a.during)) * 1000000)::bigint"
            " ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL), '{}') AS starts,"
            " coalesce(array_agg((extract(epoch FROM upper(a.during)) * 1000000)::bigint"
            " ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL), '{}') AS ends"
            " FROM assets_device d LEFT JOIN assets_assignment a ON a.device_id = d.id"
            " WHERE d.revision > %s OR %s < 0 GROUP BY d.id",
            [since, since],
        )
        for entry, identifier in found:
            self._replace(entry, identifier)

    def _replace(self, entry: DeviceEntry, identifier: str) -> None:
        former = self._identifiers.get(entry.id)
        if former is not None and former != identifier:
            self._devices.pop((entry.organisation_id, former), None)
        self._identifiers[entry.id] = identifier
        self._devices[entry.organisation_id, identifier] = entry


def _entries_of_source(
    source_id: int,
    organisation_id: int,
    wire_format: str,
    device_id: int | None,
    registers_devices: bool,
    digest: str,
    previous_digest: str,
    previous_valid_until: datetime | None,
) -> dict[str, SourceEntry]:
    """Return the entries of a source by the digests of its present and its former token."""
    origin = Origin(
        organisation_id=organisation_id,
        source_id=source_id,
        device_id=device_id,
        registers_devices=registers_devices,
    )
    # The present token has no end; the former token has.
    entry = SourceEntry(origin, wire_format)
    former = structs.replace(entry, valid_until=previous_valid_until)
    return {digest: entry} | ({previous_digest: former} if previous_digest else {})


def _device_entry(
    device_id: int,
    organisation_id: int,
    identifier: str,
    model: str,
    field_map: str,
    week_rounds: int,
    asset_ids: list[int],
    starts: list[int | None],
    ends: list[int | None],
) -> tuple[DeviceEntry, str]:
    spans = tuple(
        AssignmentSpan(
            asset_id,
            _FAR_PAST_US if start is None else start,
            _FAR_FUTURE_US if end is None else end,
        )
        for asset_id, start, end in zip(asset_ids, starts, ends, strict=True)
    )
    read_as = _model_of(model, field_map, week_rounds)
    return DeviceEntry(device_id, organisation_id, spans, read_as), identifier


@lru_cache(maxsize=1_000)
def _model_of(name: str, field_map: str, week_rounds: int) -> DeviceModel | None:
    """Many devices share a model, and so its value."""
    if not name and field_map == "[]" and not week_rounds:
        return None
    rules = msgspec.json.decode(field_map, type=tuple[FieldRule, ...])
    return DeviceModel(name, fields=rules, week_rounds=week_rounds)


def revision_in_database() -> int:
    """Return the revision of the registry as this transaction sees it."""
    found = rows("SELECT revision FROM assets_registryrevision WHERE id = 1")
    row = found[0] if found else None
    return int(row[0]) if row else 0
