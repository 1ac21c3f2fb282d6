"""Law 6: an older snapshot with all frames since equals a fresh snapshot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.live.world import Client, all_rows, by_id, rows, state
from tracker.live.connection import Allowance, ViewerConnection
from tracker.live.frames import Subscribe
from tracker.live.table import Table

ORGANISATION_OF = {1: 10, 2: 20, 3: 30}
ASSETS = st.sampled_from(sorted(ORGANISATION_OF))
PERMITTED = st.sampled_from([None, frozenset({10}), frozenset({10, 20}), frozenset[int]()])
VIEWERS = st.integers(0, 2)


class LiveMap(RuleBasedStateMachine):
    """Frames are lost, late and out of order; viewers are slow, come back, lose their rights."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.clock = 0.0, 0
        self.truth: dict[int, tuple[int, dict[str, Any]]] = {}
        self.archived: set[int] = set()
        self.table = Table(capacity=1)
        self.waiting: list[Any] = []
        self.delayed: list[Any] = []
        self.reading: tuple[int, Any] | None = None
        self.clients = [Client() for _ in range(3)]
        self.connections = [self._connection(None) for _ in self.clients]
        for index in range(3):
            self._subscribe(index)

    def _connection(self, permitted: frozenset[int] | None) -> ViewerConnection:
        return ViewerConnection(self.table, permitted, tick_s=0.25, allowance=Allowance())

    def _subscribe(self, index: int) -> None:
        client = self.clients[index]
        frame = Subscribe(epoch=client.epoch, seq=client.seq)
        self.connections[index].subscribe(frame, now=self.now)

    # --- facts ---------------------------------------------------------------

    @rule(asset=ASSETS, fate=st.sampled_from(["sent", "lost", "delayed"]), has_fix=st.booleans())
    def move(self, asset: int, fate: str, has_fix: bool) -> None:
        self.clock += 1
        organisation_id, held = self.truth.get(asset, (ORGANISATION_OF[asset], state(0)))
        now = state(self.clock)
        if not has_fix:
            now |= {name: held[name] for name in ("lon_e7", "lat_e7", "fix_at")}
        self.truth[asset] = (organisation_id, now)
        frame = rows(organisation_id, {asset: now})
        {"sent": self.waiting, "delayed": self.delayed, "lost": []}[fate].append(frame)

    @rule(asset=ASSETS)
    def archive(self, asset: int) -> None:
        self.archived ^= {asset}

    @precondition(lambda self: self.delayed)
    @rule()
    def deliver_late(self) -> None:
        self.waiting += reversed(self.delayed)
        self.delayed = []

    # --- the hub ---------------------------------------------------------------

    @rule(
        seconds=st.sampled_from([0.1, 0.25, 1.0, 6.0]),
        looking=st.sets(VIEWERS),
        acknowledging=st.sets(VIEWERS),
    )
    def tick(self, seconds: float, looking: set[int], acknowledging: set[int]) -> None:
        self._take_frames()
        self.now += seconds
        for index in looking:
            self._show(index)
        for index in acknowledging:
            self.connections[index].ack(self.clients[index].seq, now=self.now)

    def _take_frames(self) -> None:
        waiting, self.waiting = self.waiting, []
        assert self.table.tick(waiting)

    def _show(self, index: int) -> None:
        client, connection = self.clients[index], self.connections[index]
        before = {key: row["fix_at"] for key, row in client.assets.items()}
        for text in connection.frames(now=self.now, server_time=0):
            client.take(text)
        for key, row in client.assets.items():
            assert row["fix_at"] >= before.get(key, 0), "an asset jumped back"

    @rule()
    def begin_reading(self) -> None:
        active = {k: v for k, v in self.truth.items() if k not in self.archived}
        self.reading = (self.table.seq, all_rows(active))

    @precondition(lambda self: self.reading is not None)
    @rule()
    def end_reading(self) -> None:
        assert self.reading is not None
        read_at, truth = self.reading
        self.table.correct(truth, read_at=read_at, complete_for=None)
        self.reading = None

    # --- viewers -----------------------------------------------------------------

    @rule(index=VIEWERS, permitted=PERMITTED)
    def come_back(self, index: int, permitted: frozenset[int] | None) -> None:
        self.connections[index] = self._connection(permitted)
        self._subscribe(index)

    @rule(index=VIEWERS, permitted=PERMITTED)
    def change_rights(self, index: int, permitted: frozenset[int] | None) -> None:
        self.connections[index].permit(permitted)

    @rule(index=VIEWERS)
    def hide_or_look(self, index: int) -> None:
        self.connections[index].is_paused ^= True

    # --- the law -------------------------------------------------------------------

    @invariant()
    def who_is_up_to_date_has_what_a_fresh_snapshot_has(self) -> None:
        for client, connection in zip(self.clients, self.connections, strict=True):
            is_here = client.epoch == self.table.epoch_for(connection.permitted)
            if is_here and client.seq == self.table.seq:
                fresh = json.loads(self.table.snapshot(connection.permitted))
                assert client.assets == by_id(fresh)

    def teardown(self) -> None:
        """In the end, whatever was lost, everybody has what the database has."""
        self.waiting += self.delayed
        self._take_frames()
        self.begin_reading()
        self.end_reading()
        active = {k: v for k, v in self.truth.items() if k not in self.archived}
        for index, (client, connection) in enumerate(
            zip(self.clients, self.connections, strict=True)
        ):
            connection.is_paused = False
            connection.ack(client.seq, now=self.now)
            self.now += 10
            self._show(index)
            mine = connection.permitted
            assert client.assets == {
                key: row for key, (whose, row) in active.items() if mine is None or whose in mine
            }


LiveMap.TestCase.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
TestLiveMap = pytest.mark.law(6)(pytest.mark.fault("F-092", "F-094")(LiveMap.TestCase))
