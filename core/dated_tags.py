"""The tags of an asset, which are facts with a date like any other."""

from __future__ import annotations

from msgspec import Struct

NO_TAGS: frozenset[str] = frozenset()


class DatedTags(Struct, frozen=True):
    """Which tags an asset carried from when on, in order; times in µs since 1970.

    Before the first date it carried none.
    """

    periods: tuple[tuple[int, frozenset[str]], ...] = ()

    def at(self, at_us: int) -> frozenset[str]:
        carried = NO_TAGS
        for since_us, tags in self.periods:
            if since_us > at_us:
                break
            carried = tags
        return carried


NEVER_TAGGED = DatedTags()


def always(*tags: str) -> DatedTags:
    """Return tags that an asset has carried for as long as anybody can remember."""
    return DatedTags(((-(1 << 62), frozenset(tags)),))
