"""Colour, judging options and links to assets that the features of a file bring along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.db.models import Q
from msgspec import Struct
from rest_framework.exceptions import ValidationError

from accounts.models import Organisation
from assets.models import Asset
from geofence.imports import FoundShape
from geofence.imports.found_shapes import Note
from geofence.imports.own_exports import OPTIONS
from geofence.presets import Judging
from geofence.serializers import GeofenceInput


class FoundOptions(Struct, frozen=True, kw_only=True):
    """The options of a feature; None and left out are what the file does not say."""

    colour: str | None = None
    judging: Judging = {}
    notes: list[Note] = []


class OptionsOfFile:
    """Reads the options of each feature; the assets they name are looked up once for all."""

    def __init__(self, organisation: Organisation, features: Sequence[FoundShape]) -> None:
        self._fields = GeofenceInput().fields
        own = [found.own for found in features]
        names = {name for members in own for name in _texts(members.get("asset_names"))}
        ids = {pk for members in own for pk in _whole_numbers(members.get("asset_ids"))}
        self._id_of_name: dict[str, int] = {}
        if names or ids:
            assets = Asset.objects.filter(Q(name__in=names) | Q(pk__in=ids))
            pairs = assets.filter(organisation=organisation).values_list("name", "pk")
            self._id_of_name = dict(pairs)

    def of(self, found: FoundShape) -> FoundOptions:
        """Return the options of a feature, with a note for each that cannot be taken."""
        notes: list[Note] = []
        values: dict[str, Any] = {}
        for name in ("colour", *OPTIONS):
            if name in found.own and name != "asset_ids":
                self._take(name, found.own[name], values, notes)
        colour = values.pop("colour", None)
        self._link(found, values, notes)
        if _is_band_empty(values):
            del values["floor_m"], values["ceiling_m"]
            notes.append(_left_out("The altitude band is left out: its ceiling is not above."))
        if found.own.get("valid_to"):
            notes.append(_left_out("Its end is left out: it holds from the import on."))
        return FoundOptions(colour=colour, judging=cast("Judging", values), notes=notes)

    def _take(self, name: str, value: Any, values: dict[str, Any], notes: list[Note]) -> None:
        field = self._fields[name]
        if value is None and not field.allow_null:
            return
        try:
            values[name] = field.run_validation(value)
        except ValidationError as error:
            notes.append(_left_out(f"{name} is left out: {_first_message(error.detail)}"))

    def _link(self, found: FoundShape, values: dict[str, Any], notes: list[Note]) -> None:
        """Link to the assets of the same names: ids mean other assets elsewhere."""
        own_ids = set(self._id_of_name.values())
        names = list(_texts(found.own.get("asset_names")))
        ids = list(_whole_numbers(found.own.get("asset_ids")))
        if names:
            linked = [self._id_of_name[name] for name in names if name in self._id_of_name]
        else:
            linked = [pk for pk in ids if pk in own_ids]
        missing = len(names or ids) - len(linked)
        if linked or found.own.get("asset_ids") == []:
            values["asset_ids"] = sorted(linked)
        if missing:
            now = "" if linked or values.get("tags") else " It is linked to all assets now."
            detail = f"{missing} of {len(names or ids)} linked assets are not here.{now}"
            notes.append(_left_out(detail))


def _left_out(detail: str) -> Note:
    return Note("left-out", detail)


def _is_band_empty(values: dict[str, Any]) -> bool:
    floor_m, ceiling_m = values.get("floor_m"), values.get("ceiling_m")
    return floor_m is not None and ceiling_m is not None and floor_m >= ceiling_m


def _first_message(detail: Any) -> str:
    while isinstance(detail, list | dict) and detail:
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail))
    return str(detail)


def _texts(values: Any) -> Iterable[str]:
    return (value for value in values if isinstance(value, str)) if _is_list(values) else ()


def _whole_numbers(values: Any) -> Iterable[int]:
    if not _is_list(values):
        return ()
    return (value for value in values if type(value) is int and 0 < value < 1 << 63)


def _is_list(values: Any) -> bool:
    return isinstance(values, list)
