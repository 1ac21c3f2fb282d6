"""The state of a viewer's connection: frames sent, frames due, and pace. Plain values."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tracker.live import frames
from tracker.live.table import Permitted, Table

LAG_LIMIT_S: Final = 2.0
SLOWEST_TICK_S: Final = 5.0
HEARTBEAT_S: Final = 9.0
CROSSINGS_KEPT: Final = 100
# The lists that a lost frame may have been about. Alerts are numbered, so none is missed.
LISTS: Final = ("assets", "geofences", "crossings")
_SLACK_S: Final = 0.02


@dataclass(slots=True)
class Allowance:
    """The bytes of snapshots that may still be sent in this tick, to all viewers together.

    Snapshots wait in the server's memory until the network takes them. Without this limit, a
    restart would put a snapshot for each viewer there at once.
    """

    per_tick: int = 16 << 20
    left: int = 16 << 20

    def refill(self) -> None:
        self.left = min(self.per_tick, self.left + self.per_tick)


@dataclass(slots=True)
class _SentFrame:
    seq: int
    at: float


@dataclass(slots=True)
class ViewerConnection:
    """A viewer's place in the table. `now` is monotonic seconds, `server_time` ms since 1970."""

    table: Table
    permitted: Permitted
    tick_s: float
    allowance: Allowance
    is_subscribed: bool = False
    is_paused: bool = False
    epoch: str = ""
    seq: int = 0
    _checked: int = 0
    _interval_s: float = 0.0
    _next_at: float = float("-inf")
    _sent_at: float = float("-inf")
    _unacked: deque[_SentFrame] = field(default_factory=deque)
    _crossings: deque[str] = field(default_factory=deque)
    _changed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._interval_s = self.tick_s

    # --- input ------------------------------------------------------------

    def subscribe(self, frame: frames.Subscribe, *, now: float) -> None:
        """Continue from the epoch and `seq` of the client, if this table knows them."""
        is_known = frame.epoch == self._epoch_now() and 0 <= frame.seq <= self.table.seq
        self.epoch = frame.epoch if is_known and frame.epoch else ""
        self.seq = self._checked = frame.seq if is_known else 0
        self.is_subscribed = True
        self._sent_at = now
        self._unacked.clear()

    def ack(self, seq: int, *, now: float) -> None:
        while self._unacked and self._unacked[0].seq <= seq:
            if now - self._unacked.popleft().at < LAG_LIMIT_S:
                self._interval_s = max(self.tick_s, self._interval_s / 2)

    def add_crossing(self, text: str) -> None:
        self._crossings.append(text)
        if len(self._crossings) > CROSSINGS_KEPT:
            self._crossings.clear()
            self._changed.add("crossings")

    def add_changed_lists(self, *lists: str) -> None:
        self._changed.update(lists)

    def permit(self, permitted: Permitted) -> None:
        """Let the viewer see these organisations only, from now on."""
        if permitted != self.permitted:
            self.permitted = permitted
            self._crossings.clear()
            self._changed.update((*LISTS, "alerts"))

    # --- output -----------------------------------------------------------

    def frames(self, *, now: float, server_time: int) -> list[str]:
        """Return the frames to send now, in order."""
        if not self.is_subscribed:
            return []
        out: list[str] = []
        if self.check_pace(now):
            out += self._asset_frames(now, server_time)
            out += [frames.text("changed", what=what) for what in sorted(self._changed)]
            self._changed.clear()
            if not self.is_paused:
                out += self._crossings
                self._crossings.clear()
        if not out and now - self._sent_at >= HEARTBEAT_S:
            out.append(frames.text("heartbeat", server_time=server_time))
        if out:
            self._sent_at = now
        return out

    def check_pace(self, now: float) -> bool:
        """Return whether the client keeps up; if not, send the next frames less often."""
        if not self._unacked or now - self._unacked[0].at < LAG_LIMIT_S:
            return True
        if self._next_at <= now:
            self._interval_s = min(SLOWEST_TICK_S, self._interval_s * 2)
            self._next_at = now + self._interval_s
        return False

    def _asset_frames(self, now: float, server_time: int) -> list[str]:
        if self.is_paused or not self.table.is_loaded or now < self._next_at - _SLACK_S:
            return []
        frame = (
            self._delta(server_time)
            if self.epoch == self._epoch_now()
            else self._snapshot(server_time)
        )
        if frame is None:
            return []
        self._next_at = now + self._interval_s
        self._unacked.append(_SentFrame(self.seq, now))
        return [frame]

    def _delta(self, server_time: int) -> str | None:
        changes = self.table.changes_since(self._checked, self.permitted)
        self._checked = self.table.seq
        if changes is None:
            return None
        prev, self.seq = self.seq, self.table.seq
        return frames.delta(
            changes.assets,
            changes.gone,
            epoch=self.epoch,
            prev=prev,
            seq=self.seq,
            server_time=server_time,
            tick_ms=self._tick_ms(),
        )

    def _snapshot(self, server_time: int) -> str | None:
        if self.allowance.left <= 0:
            return None
        assets = self.table.snapshot(self.permitted)
        self.allowance.left -= len(assets)
        self.epoch = self._epoch_now()
        self.seq = self._checked = self.table.seq
        self._unacked.clear()
        return frames.snapshot(
            assets,
            epoch=self.epoch,
            seq=self.seq,
            server_time=server_time,
            tick_ms=self._tick_ms(),
        )

    def _tick_ms(self) -> int:
        return round(self._interval_s * 1000)

    def _epoch_now(self) -> str:
        return self.table.epoch_for(self.permitted)
