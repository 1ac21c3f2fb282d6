"""The port behind which deliveries wait that the database cannot take yet.

At least once, and in no particular order, is enough: what comes twice is known by its key, and
consequences do not depend on the order of arrival. The spool is the adapter that always stands
there; a replicated log may take its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracker.road.delivery import Delivery


class TakenBatch(Protocol):
    """Deliveries that a log gave out. Until they are done, the log still holds them."""

    @property
    def deliveries(self) -> Sequence[Delivery]: ...

    def done(self, unstorable: Sequence[Delivery] = ()) -> None:
        """Forget the batch; keep the `unstorable` of it for people to look at.

        They were acknowledged, so nobody will send them again.
        """


class IntakeLog(Protocol):
    """Keeps deliveries durably until they are done.

    `append` may be called from any thread; `take` and `done` by one at a time.
    """

    def append(self, deliveries: Sequence[Delivery]) -> None:
        """Keep deliveries: they are durable when this returns.

        Raises Unavailable where the log is full or broken; then none of them is kept.
        """

    def take(self, at_most: int) -> TakenBatch | None:
        """Return deliveries that wait, of up to `at_most` observations together, or None.

        What was appended in many small parts comes merged; what was appended together is not
        taken apart, so that one large part may exceed the limit. What is taken and not done is
        given again, to the next call or to a successor of this process.
        """

    def waiting_bytes(self) -> int:
        """Return the size of what waits; 0 where nothing does."""
