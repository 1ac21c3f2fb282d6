"""Every wire format by name, and which of them an uplink is in.

Each module of `wire.formats` that has a `FORMAT` is one; nothing else lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from wire import formats
from wire.uplink import Uplink
from wire.wire_format import WireFormat, clues_in


def _found() -> Iterator[WireFormat]:
    for module in iter_modules(formats.__path__):
        found = getattr(import_module(f"{formats.__name__}.{module.name}"), "FORMAT", None)
        if isinstance(found, WireFormat):
            yield found


FORMATS: dict[str, WireFormat] = {
    one.name: one for one in sorted(_found(), key=lambda one: one.name)
}


def detect(uplink: Uplink) -> str | None:
    """Return the name of the format that an uplink is in, or None where nothing tells.

    The surest claim decides. Formats whose claims may be equal must differ in their telltales.
    """
    clues = clues_in(uplink)
    surest = max(FORMATS.values(), key=lambda one: one.looks_like(clues))
    return surest.name if surest.looks_like(clues) else None
