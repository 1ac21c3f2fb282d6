"""Every wire format by name, and the detection of the format of an uplink.

Each module of `wire.formats` with a `FORMAT` is found; nothing else lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from wire import formats
from wire.uplink import Uplink
from wire.wire_format import WireFormat, parsed_uplink


def _formats() -> Iterator[WireFormat]:
    for module in iter_modules(formats.__path__):
        found = getattr(import_module(f"{formats.__name__}.{module.name}"), "FORMAT", None)
        if isinstance(found, WireFormat):
            yield found


FORMATS: dict[str, WireFormat] = {
    one.name: one for one in sorted(_formats(), key=lambda one: one.name)
}


def detect(uplink: Uplink) -> str | None:
    """Return the name of the format of an uplink, or None where no format recognises it.

    The most certain format is chosen; no two may be equally certain of one uplink.
    """
    parsed = parsed_uplink(uplink)
    most_certain = max(FORMATS.values(), key=lambda one: one.certainty(parsed))
    return most_certain.name if most_certain.certainty(parsed) else None
