"""The tags of an asset over time: facts with a date, like positions."""

from __future__ import annotations

from msgspec import Struct

NO_TAGS: frozenset[str] = frozenset()


class DatedTags(Struct, frozen=True):
    """The tags of an asset, each set with the time from which it held, in order of time.

    Times are in µs since 1970. Before the first date the asset carried no tags.
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
    """Return tags that an asset has carried since before its first fact."""
    return DatedTags(((-(1 << 62), frozenset(tags)),))
