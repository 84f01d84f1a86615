"""The switch to another version, and back: brought to its end wherever it stands."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from kiosk_client.ports import BodyFacts
from kiosk_client.updates import health
from kiosk_client.updates.errors import NotOffered, Unfit
from kiosk_client.updates.ports import Machine, Runtime
from kiosk_client.updates.shelf import Shelf, Trial, next_of
from signaling.wire.kiosk.words import BundleKind, InstallStep

log = logging.getLogger(__name__)

Do = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs what waits for the disk, in a thread."""


class Pace(Struct, frozen=True):
    """How long things take, in seconds."""

    answer_s: float = 20.0
    first_wait_s: float = 5.0
    longest_wait_s: float = 300.0
    look_for_s: float = 30.0  # at the screen after a switch
    confirm_within_s: float = 900.0  # new software has to be let in by the city
    session_look_s: float = 1.0
    again_s: float = 30.0  # where the disk is full


class Ended(Protocol):
    """Tells the city how a trial ended; returns when that is kept for good."""

    async def __call__(self, trial: Trial, step: InstallStep, code: str) -> None: ...


class Agent(Protocol):
    """What a switch asks of the agent; see ``Core``."""

    def restart(self, why: str) -> None: ...

    async def configure(self) -> None: ...


class Switching:
    """Whoever is cancelled in here goes on from the same point at the next start."""

    def __init__(self, machine: Machine, runtime: Runtime, pace: Pace, agent: Agent, do: Do) -> None:
        self._machine = machine
        self._runtime = runtime
        self._pace = pace
        self._agent = agent
        self._do = do
        self.welcomed = asyncio.Event()

    async def begin(self, shelf: Shelf, trial: Trial, ended: Ended, is_wanted: Callable[[], bool]) -> None:
        """Switch, not under a resident's hands. Raises ``Unfit``: the disk refuses; ``NotOffered``: the city
        has taken it back meanwhile. Then nothing has changed."""
        while is_wanted() and self._machine.session_active():  # noqa: ASYNC110 - the body tells only the agent
            await asyncio.sleep(self._pace.session_look_s)
        if not is_wanted():
            raise NotOffered("the city has taken it back before it was in use")
        await self._do(partial(shelf.begin, trial))
        await self.settle(shelf, trial, ended)

    async def settle(self, shelf: Shelf, trial: Trial, ended: Ended) -> None:
        """Bring it to its end."""
        match next_of(trial, await self._do(shelf.current)):
            case "tell-returned":
                await self._told(shelf, trial, ended)
                return
            case "switch":
                before = await self._machine.facts()
                await self._switch(shelf, trial)
                why = await self._look(before)
            case "look" if trial.kind is BundleKind.SOFTWARE:
                why = await self._confirm(trial)
            case "look":
                why = await self._look(await self._machine.facts())
        if why is None:
            await ended(trial, "installed", "")
            await self._do(partial(shelf.finish, trial))
            return
        log.warning("! %s %s: %s; back to %s", trial.kind, trial.version, why, trial.previous or "none")
        await self._back(shelf, trial, why)
        await self._told(shelf, replace(trial, gave_up=why), ended)

    async def _switch(self, shelf: Shelf, trial: Trial) -> None:
        try:
            await self._do(partial(shelf.switch, trial.version))
        except Unfit:
            await self._do(shelf.abandon)
            raise
        log.info("= %s %s is in use, on trial", trial.kind, trial.version)
        if trial.kind is BundleKind.SOFTWARE:
            await self._restart(f"software {trial.version}")
        await self._put_in_force(trial)

    async def _back(self, shelf: Shelf, trial: Trial, why: str) -> None:
        while True:
            try:
                await self._do(partial(shelf.switch_back, trial, why))
                break
            except Unfit as error:
                log.error("! cannot go back yet: %s", error)
                await asyncio.sleep(self._pace.again_s)
        if trial.kind is BundleKind.SOFTWARE:
            await self._restart(f"back to {trial.previous}")
        await self._put_in_force(trial)

    async def _put_in_force(self, trial: Trial) -> None:
        """Content is looked for by the screen itself."""
        if trial.kind is BundleKind.CONFIGURATION:
            await self._agent.configure()

    async def _told(self, shelf: Shelf, trial: Trial, ended: Ended) -> None:
        await ended(trial, "returned", trial.gave_up)
        await self._do(partial(shelf.finish, trial))

    async def _look(self, before: BodyFacts) -> str | None:
        """Watch the screen for a while. The code of what became worse; None: it is good."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._pace.look_for_s
        while True:
            left_s = until - loop.time()
            why = health.why_not(before, await self._machine.facts())
            if left_s <= 0 or why == "page-restarts":
                return why
            await asyncio.sleep(min(1.0, left_s))

    async def _confirm(self, trial: Trial) -> str | None:
        """New software is good when the city has let it in."""
        if self._runtime.version != trial.version:
            await self._restart(f"software {trial.version}")
        try:
            async with asyncio.timeout(self._pace.confirm_within_s):
                await self.welcomed.wait()
        except TimeoutError:
            return "not-let-in"
        return None

    async def _restart(self, why: str) -> None:
        self._agent.restart(why)
        await asyncio.Event().wait()  # the next process goes on from here
