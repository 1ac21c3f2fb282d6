"""Folds made up for tests: one that looks at readings, one that waits for the clock."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any

from msgspec import Struct

from core.fact_order import after_all_at
from core.judged_fact import JudgedFact
from judging.folds import FactFold, States
from judging.intervals import Edge

WARM_ABOVE_C = 8.0
SILENT_AFTER_US = 600 * 1_000_000


class Open(Struct, array_like=True):
    is_open: bool = False
    until_us: int | None = None


class WarmFold(FactFold):
    """Warm while the last temperature was above 8 °C; inside a geofence only, if any fold knows."""

    name = "warm"
    state_type = Open
    needs_readings = True

    def step(
        self,
        state: Open,
        fact: JudgedFact,
        looked_up: Any,
        context: Any,
        states: States,
        findings: MutableSequence[Edge],
    ) -> None:
        celsius = fact.readings.get("air.temperature")
        if not isinstance(celsius, (int, float)):
            return
        crossings = states.get("crossings")
        is_warm = celsius > WARM_ABOVE_C and (crossings is None or bool(crossings.inside))
        if is_warm != state.is_open:
            findings.append(Edge(kind="warm", is_begin=is_warm, at_us=fact.at_us, key=fact.key))
            state.is_open = is_warm


class SilenceFold(FactFold):
    """Silent from ten minutes after a fact until the next one."""

    name = "silence"
    state_type = Open
    needs_readings = True
    has_deadlines = True

    def step(
        self,
        state: Open,
        fact: JudgedFact,
        looked_up: Any,
        context: Any,
        states: States,
        findings: MutableSequence[Edge],
    ) -> None:
        if state.is_open:
            findings.append(Edge(kind="silent", is_begin=False, at_us=fact.at_us, key=fact.key))
        state.is_open, state.until_us = False, fact.at_us + SILENT_AFTER_US

    def asks_at_us(self, state: Open) -> int | None:
        return state.until_us

    def at_deadline(
        self,
        state: Open,
        at_us: int,
        context: Any,
        states: States,
        findings: MutableSequence[Edge],
    ) -> None:
        findings.append(Edge(kind="silent", is_begin=True, at_us=at_us, key=after_all_at(at_us)))
        state.is_open, state.until_us = True, None
