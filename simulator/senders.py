"""Senders: they send transmissions when they are due, and count the answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpx

from simulator.fleet import Transmission
from simulator.request_formats import Request, requests_of

logger = logging.getLogger(__name__)

MAX_UNDER_WAY = 64
# Retries of a store-and-forward sender without an answer; network servers do not retry.
TRIES = 4
PATIENCE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The fleet's time: runs `speedup` times as fast until it has caught up with ours."""

    began_at: float
    fleet_began_at: float
    speedup: float = 1.0

    def now(self) -> float:
        here = time.time()
        return min(here, self.fleet_began_at + (here - self.began_at) * self.speedup)

    def wait_s(self, due_at: float) -> float:
        """Return the seconds until the fleet's clock shows `due_at`."""
        fast_s = (due_at - self.fleet_began_at) / self.speedup - (time.time() - self.began_at)
        return max(fast_s, due_at - time.time())


class Senders:
    """The senders of a fleet, which share a pool of connections."""

    def __init__(self, *, url: str, tokens: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=PATIENCE_S,
            limits=httpx.Limits(max_connections=MAX_UNDER_WAY),
        )
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_down = False
        self.answers: Counter[str] = Counter()

    async def send_all(
        self, transmissions: Iterable[Transmission], clock: Clock, until: float
    ) -> None:
        """Send until a transmission is due after `until`, a time of the fleet's clock."""
        async with self._client:
            for transmission in transmissions:
                if transmission.due_at > until:
                    break
                if transmission.wire_format not in self._tokens:
                    self.answers[f"no source for {transmission.wire_format}"] += 1
                    continue
                await asyncio.sleep(max(0.0, clock.wait_s(transmission.due_at)))
                await self._start(transmission)
            await asyncio.gather(*self._under_way)

    async def _start(self, transmission: Transmission) -> None:
        while len(self._under_way) >= MAX_UNDER_WAY:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._deliver(transmission))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, transmission: Transmission) -> None:
        is_patient = transmission.wire_format not in ("ttn", "chirpstack")
        for request in requests_of(transmission, self._tokens[transmission.wire_format]):
            answer = await self._send(request, tries=TRIES if is_patient else 1)
            self.answers[f"{transmission.wire_format} {answer}"] += 1
        self.answers[f"fate {transmission.fate}"] += 1

    async def _send(self, request: Request, *, tries: int) -> str:
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(2.0**attempt)
            try:
                response = await self._client.request(
                    request.method,
                    request.target,
                    content=request.body,
                    headers=request.headers,
                )
            except httpx.TransportError as error:
                self._note_down(str(error) or type(error).__name__)
                continue
            self._note_up()
            if response.status_code < 500:
                return str(response.status_code)
        return "lost"

    def _note_down(self, reason: str) -> None:
        if not self._is_down:
            logger.warning("the server does not answer: %s", reason)
        self._is_down = True

    def _note_up(self) -> None:
        if self._is_down:
            logger.warning("the server answers again")
        self._is_down = False
