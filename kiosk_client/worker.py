"""Takes the orders one after another from the ledger to their outcome, and waits in between.

What is decided is in ``orders``, what is remembered in ``ledger``; here is only when.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec.structs import replace

from kiosk_client.disk import Disk
from kiosk_client.errors import NotKept
from kiosk_client.evidence import EvidenceFiles
from kiosk_client.ledger import Ledger
from kiosk_client.orders import (
    Ask,
    Expire,
    Look,
    OrderState,
    Rest,
    may_begin,
    next_step,
    outcome_after_restart,
)
from kiosk_client.ports import Result
from signaling.wire.kiosk.city import Carry, Go, NoGo, TakeBack
from signaling.wire.kiosk.device import Claim
from signaling.wire.kiosk.words import CommandId, DeviceTime, Order, Outcome

CLAIM_WITHIN_S: Final = 15.0
CLAIM_AGAIN_S: Final = 5.0
DISK_AGAIN_S: Final = 5.0
CLEAR_OUT_EVERY_S: Final = 86_400.0
LONGEST_REST_S: Final = 3_600.0

Answer = Go | NoGo | None
"""None: the line broke, or nobody answered."""

log = logging.getLogger(__name__)


class Worker:
    """Its task is :meth:`run`."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        disk: Disk,
        files: EvidenceFiles,
        boot: str,
        run: str,
        look: Callable[[], Look],
        time: Callable[[], DeviceTime],
        say: Callable[[Claim], Awaitable[bool]],
        effect: Callable[[Order], Awaitable[Result]],
        told: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._disk = disk
        self._files = files
        self._boot = boot
        self._run = run
        self._look = look
        self._time = time
        self._say = say
        self._effect = effect
        self._told = told
        self._changed = asyncio.Event()
        self._claimed: CommandId | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._clear_out_at = 0.0

    def wake(self) -> None:
        """Something has changed: an order, the session, the line."""
        self._changed.set()

    # --- what the city says ---

    async def carry(self, message: Carry) -> bool:
        """True: it is on the disk and may be acknowledged. Raises NotKept."""
        kept = await self._disk.do(lambda: self._ledger.receive(message.order))
        self.wake()
        return kept

    async def take_back(self, message: TakeBack) -> None:
        """Raises NotKept."""
        await self._disk.do(lambda: self._ledger.take_back(message.command, message.time))
        self.wake()

    def answered(self, message: Go | NoGo) -> None:
        """To a claim; one that nobody waits for is of an earlier line."""
        if message.command == self._claimed and self._answer is not None and not self._answer.done():
            self._answer.set_result(message)

    def cut(self) -> None:
        """Whoever waits for an answer waits in vain."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    # --- work ---

    async def run(self) -> None:
        """Until cancelled."""
        await self.settle()
        while True:
            await self._clear_out()
            self._changed.clear()
            waiting = await self._disk.do(self._ledger.waiting)
            look = self._look()
            step = next_step(waiting, look)
            try:
                match step:
                    case Expire(order=order):
                        log.info("= order %s expired", order.id)
                        await self._disk.do(lambda: self._ledger.expire(order.id))
                    case Ask(order=order):
                        await self._one(order)
                    case Rest(until=until):
                        await self._rest(until, look.city_now)
            except NotKept as error:
                log.error("! ledger: %s", error)
                await asyncio.sleep(DISK_AGAIN_S)

    async def settle(self) -> None:
        """Say of what an earlier process had begun how it ended."""
        for begun in await self._disk.do(lambda: list(self._ledger.begun.values())):
            outcome = outcome_after_restart(begun, self._boot, self._run)
            if outcome is not None:
                log.info("= order %s after a restart: %s", begun.order.id, outcome.code or "succeeded")
                await self._finish(begun.order, Result(outcome))

    async def _clear_out(self) -> None:
        """Once a day: forget the orders that ended long ago."""
        city_now = self._look().city_now
        if city_now is None or city_now < self._clear_out_at:
            return
        self._clear_out_at = city_now + CLEAR_OUT_EVERY_S
        try:
            await self._disk.do(lambda: self._ledger.clear_out(city_now))
        except NotKept as error:
            log.error("! ledger: %s", error)

    async def _one(self, order: Order) -> None:
        answer = await self._claim(order)
        if answer is None:
            await self._rest_s(CLAIM_AGAIN_S)
            return
        if isinstance(answer, NoGo):
            log.info("< order %s: no-go %s", order.id, answer.code)
            await self._disk.do(lambda: self._ledger.refuse(order.id))
            return
        if not may_begin(order, self._look()):
            return  # a resident came while we asked
        city_now = self._look().city_now
        at = self._time()

        def begin() -> bool:
            if self._ledger.state(order.id) is not OrderState.WAITING:
                return False  # taken back while we asked
            self._ledger.begin(order.id, at, self._run, city_now)
            return True

        if not await self._disk.do(begin):
            return
        self._told()
        log.info("= order %s begun: %s", order.id, type(order.do).__name__)
        result = await self._effect(order)
        log.info("= order %s: %s", order.id, result.outcome.code or "succeeded")
        await self._finish(order, result)

    async def _claim(self, order: Order) -> Answer:
        self._claimed = order.id
        self._answer = asyncio.get_running_loop().create_future()
        try:
            if not await self._say(Claim(command=order.id)):
                return None
            async with asyncio.timeout(CLAIM_WITHIN_S):
                return await self._answer
        except TimeoutError:
            return None
        finally:
            self._claimed = self._answer = None

    async def _finish(self, order: Order, result: Result) -> None:
        """Keep the outcome, whatever the disk says meanwhile: the effect has happened."""
        outcome, name = result.outcome, None
        if result.evidence is not None:
            evidence = result.evidence
            try:
                id_, name = await self._disk.do(lambda: self._files.keep(evidence))
                outcome = replace(outcome, evidence=id_)
            except NotKept as error:
                log.error("! evidence of %s: %s", order.id, error)
                outcome = Outcome(succeeded=False, code="not-kept", text="Ổ đĩa không nhận tệp kết quả")
        outcome = fitting(outcome)
        while True:
            at, city_now = self._time(), self._look().city_now
            try:
                await self._disk.do(lambda: self._ledger.finish(order.id, outcome, at, city_now, name))  # noqa: B023
                break
            except NotKept as error:
                log.error("! outcome of %s: %s", order.id, error)
                await asyncio.sleep(DISK_AGAIN_S)
        self._told()

    async def _rest(self, until: float | None, city_now: float | None) -> None:
        if until is None or city_now is None:
            await self._changed.wait()
        else:
            await self._rest_s(min(max(until - city_now, 0.01), LONGEST_REST_S))

    async def _rest_s(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass


def fitting(outcome: Outcome) -> Outcome:
    """Cut to what the wire takes: a long text must not cost the outcome."""
    return replace(
        outcome,
        code=outcome.code[:64],
        text=outcome.text[:500],
        findings=tuple(
            replace(
                one,
                name=one.name[:64],
                value=one.value[:200] if isinstance(one.value, str) else one.value,
            )
            for one in outcome.findings[:40]
        ),
    )
