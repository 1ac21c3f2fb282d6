"""Limits of the size of shapes and imports, checked before any geometry library is called."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

RING_POINTS: Final = 1_000
SHAPE_POINTS: Final = 5_000
SHAPE_RINGS: Final = 64
LINE_POINTS: Final = 1_000


class SizeLimit(Struct, frozen=True, kw_only=True):
    """The most points of a shape, of one ring and of one line, and the most rings."""

    shape_points: int
    ring_points: int
    line_points: int
    rings: int


# For drawn geofences.
DRAWN: Final = SizeLimit(
    shape_points=SHAPE_POINTS, ring_points=RING_POINTS, line_points=LINE_POINTS, rings=SHAPE_RINGS
)

# Longitudes up to a whole turn beyond the antimeridian, as map clients draw across it.
LON_DEG: Final = 360.0
LAT_DEG: Final = 90.0

CIRCLE_RADIUS_M: Final = (0.1, 1_000_000.0)
CIRCLE_VERTICES: Final = 256
CORRIDOR_WIDTH_M: Final = (1.0, 50_000.0)
CORRIDOR_LENGTH_M: Final = 5_000_000.0

# A larger shape is refused without an offer to simplify it, since that would take long.
SIMPLIFIABLE_POINTS: Final = 200_000
SIMPLIFIABLE_RINGS: Final = 1_000
# A finer shape is thinned out first: GEOS simplifies by recursion, and a hostile line of 200,000
# points would take minutes and the stack.
THINNED_POINTS: Final = 10_000

# For commands that run without a server to protect.
COMMAND_LINE: Final = SizeLimit(
    shape_points=10_000, ring_points=10_000, line_points=10_000, rings=1_000
)

# For outlines that are compared with a drawn shape, and not judged: those of corridors are long.
OUTLINE: Final = SizeLimit(
    shape_points=SIMPLIFIABLE_POINTS,
    ring_points=SIMPLIFIABLE_POINTS,
    line_points=SIMPLIFIABLE_POINTS,
    rings=SIMPLIFIABLE_RINGS,
)

IMPORT_PACKED_BYTES: Final = 5 << 20
IMPORT_UNPACKED_BYTES: Final = 50 << 20
IMPORT_MEMBERS: Final = 10_000
IMPORT_FEATURES: Final = 1_000
# These grow in memory when parsed: elements and attributes of XML, points of a .shp.
IMPORT_TAGS: Final = 1_000_000
# Real files have few nested folders; the parser visits each level.
IMPORT_DEPTH: Final = 200
IMPORT_SHP_BYTES: Final = 8 << 20
# Honest files are packed by less than this factor; a zip bomb by a thousand.
IMPORT_RATIO: Final = 200
