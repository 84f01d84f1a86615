"""Carries orders out: what concerns the agent itself here, everything else by the body. Always an outcome."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from kiosk_client.city import Refused
from kiosk_client.ports import Body, Evidence, Result, Updater
from kiosk_client.wire import Cut
from signaling.wire.kiosk.words import (
    CheckLine,
    CollectLogs,
    Finding,
    Order,
    Outcome,
    Reboot,
    RefreshContent,
    RestartAgent,
)

PINGS: Final = 10
PING_WITHIN_S: Final = 5.0
PING_EVERY_S: Final = 0.2
LINE_CHECK_PATH: Final = "/api/kiosk/line-check"
LINE_CHECK_BYTES: Final = 2**20

log = logging.getLogger(__name__)


class Measurable(Protocol):
    """The line, as far as it can be measured. All raise ``Cut``."""

    async def round_trip_s(self) -> float: ...

    async def download(self, path: str, most_bytes: int) -> tuple[int, float]:
        """Bytes, seconds. Raises ``Refused`` too."""


class Effects:
    """What an order does. It is called once for each order."""

    def __init__(
        self,
        *,
        body: Body,
        updater: Updater,
        line: Measurable,
        logs: Callable[[int], bytes],
        restart: Callable[[str], None],
    ) -> None:
        self._body = body
        self._updater = updater
        self._line = line
        self._logs = logs
        self._restart = restart

    async def carry_out(self, order: Order) -> Result:
        """Raises only what ends the process: a restart waits here for its end."""
        try:
            async with asyncio.timeout(order.runs_at_most_s):
                return await self._do(order)
        except TimeoutError:
            code = "no-reboot" if isinstance(order.do, Reboot) else "too-long"
            text = f"Không xong trong {order.runs_at_most_s:.0f} giây"
            return Result(Outcome(succeeded=False, code=code, text=text))
        except Exception:
            log.exception("! order %s: a bug", order.id)
            return Result(Outcome(succeeded=False, code="internal", text="Lỗi phần mềm trên thiết bị"))

    async def _do(self, order: Order) -> Result:
        match order.do:
            case RestartAgent():
                self._restart(f"order {order.id}")
                await asyncio.Event().wait()  # the next process tells the outcome
                raise AssertionError("unreachable")
            case Reboot():
                result = await self._body.carry_out(order)
                if result.outcome.succeeded:
                    await asyncio.Event().wait()  # so does the next boot
                return result
            case CheckLine():
                return Result(await self._check_line())
            case RefreshContent():
                return Result(await self._updater.refresh())
            case CollectLogs(hours=hours):
                return Result(Outcome(succeeded=True), Evidence("log", self._logs(hours)))
            case _:
                return await self._body.carry_out(order)

    async def _check_line(self) -> Outcome:
        trips_s: list[float] = []
        for _ in range(PINGS):
            try:
                async with asyncio.timeout(PING_WITHIN_S):
                    trips_s.append(await self._line.round_trip_s())
            except (TimeoutError, Cut):
                pass
            await asyncio.sleep(PING_EVERY_S)
        findings = [Finding("loss_share", 1 - len(trips_s) / PINGS)]
        if not trips_s:
            return Outcome(succeeded=False, code="no-line", findings=tuple(findings))
        ordered = sorted(trips_s)
        findings += [
            Finding("rtt_ms", round(ordered[len(ordered) // 2] * 1000, 2)),
            Finding("rtt_max_ms", round(ordered[-1] * 1000, 2)),
        ]
        try:
            read, took_s = await self._line.download(LINE_CHECK_PATH, LINE_CHECK_BYTES)
            findings += [
                Finding("transfer_bytes", read),
                Finding("download_bps", round(read * 8 / max(took_s, 1e-3))),
            ]
        except (Cut, Refused) as error:
            log.warning("! line check: %s", error)
            return Outcome(succeeded=False, code="no-transfer", findings=tuple(findings))
        return Outcome(succeeded=True, findings=tuple(findings))
