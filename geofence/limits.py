"""How large a shape or an import may be. Checked before any geometry library sees it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

RING_POINTS: Final = 1_000
SHAPE_POINTS: Final = 5_000
SHAPE_RINGS: Final = 64
LINE_POINTS: Final = 1_000


class Size(Struct, frozen=True, kw_only=True):
    """How many points a shape may have in all and in one ring or line, and how many rings."""

    shape_points: int
    ring_points: int
    line_points: int
    rings: int


# What may be drawn here.
DRAWN: Final = Size(
    shape_points=SHAPE_POINTS, ring_points=RING_POINTS, line_points=LINE_POINTS, rings=SHAPE_RINGS
)

# Longitudes up to a whole turn beyond the antimeridian, as map clients draw across it.
LON_DEG: Final = 360.0
LAT_DEG: Final = 90.0

CIRCLE_RADIUS_M: Final = (0.1, 1_000_000.0)
CIRCLE_VERTICES: Final = 256
CORRIDOR_WIDTH_M: Final = (1.0, 50_000.0)
CORRIDOR_LENGTH_M: Final = 5_000_000.0

# Above this a shape is refused without an offer: simplifying has a price of its own.
SIMPLIFIABLE_POINTS: Final = 10_000

# What somebody may try out who has the file in the hand: there is no server to protect.
TRIED_OUT: Final = Size(
    shape_points=SIMPLIFIABLE_POINTS,
    ring_points=SIMPLIFIABLE_POINTS,
    line_points=SIMPLIFIABLE_POINTS,
    rings=1_000,
)

IMPORT_PACKED_BYTES: Final = 5 << 20
IMPORT_UNPACKED_BYTES: Final = 50 << 20
IMPORT_MEMBERS: Final = 10_000
IMPORT_FEATURES: Final = 1_000
# What grows in memory when parsed: elements and attributes of XML, points of a .shp.
IMPORT_TAGS: Final = 1_000_000
# Folders in folders are a few; the parser goes up and down each level.
IMPORT_DEPTH: Final = 200
IMPORT_SHP_BYTES: Final = 8 << 20
# The most that honest text and binary shrink by; a bomb shrinks by a thousand.
IMPORT_RATIO: Final = 200
