"""The port of the intake log, which keeps deliveries while the database does not take batches.

Delivery at least once and in any order is enough: a repeated observation is recognised by its key,
and consequences do not depend on the order of arrival. The spool is the default adapter; a
replicated log may take its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracker.road.delivery import Delivery


class TakenBatch(Protocol):
    """Deliveries that were taken from a log, which keeps them until `done` is called."""

    @property
    def deliveries(self) -> Sequence[Delivery]: ...

    def done(self, unstorable: Sequence[Delivery] = ()) -> None:
        """Forget the batch; quarantine its `unstorable` deliveries for an operator to examine.

        They were acknowledged, so their senders will not send them again.
        """


class IntakeLog(Protocol):
    """Keeps deliveries durably until their batch is done.

    `append` may be called from any thread; `take` and `done` from one thread at a time.
    """

    def append(self, deliveries: Sequence[Delivery]) -> None:
        """Keep deliveries: they are durable when this returns.

        Raises Unavailable where the log is full or broken; then no delivery is kept.
        """

    def take(self, at_most: int) -> TakenBatch | None:
        """Return waiting deliveries with up to `at_most` observations together, or None.

        Deliveries of several small appends are merged. Those of one append are never split, so a
        large append may exceed the limit. A batch that is taken and not done is returned again,
        by the next call or to the successor of this process.
        """

    def waiting_bytes(self) -> int:
        """Return the size of the waiting deliveries; 0 if there are none."""
