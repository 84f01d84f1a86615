"""``diemcau simulate kiosks``: from the command line to a crowd that lives."""

import asyncio
import contextlib
import functools
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from kiosk_client.city import HttpCity, Refused
from kiosk_client.config import BadConfig
from kiosk_client.key import FileKey
from kiosk_client.running import words
from kiosk_client.simulate.arguments import PASSWORD
from kiosk_client.simulate.crowd import Crowd, Plan
from kiosk_client.simulate.device import SimulatedDevice
from kiosk_client.simulate.letting_in import Desk
from kiosk_client.simulate.places import Seat, seats, secret
from kiosk_client.simulate.script import Script, parse, steps
from kiosk_client.wire import dialler, normal_server, tls_context
from signaling.wire.kiosk.fingerprint import fingerprint_of, raw_key
from signaling.wire.kiosk.rest import AskEnrolment, Enrolled

MOST: Final = 20_000
HTTP_CONNECTIONS: Final = 16
TOO_MANY: Final = (
    "the city refuses devices because too many ask from one address: they come in slowly;"
    " it takes them all at once when it is started with --known-networks and this machine's address"
)


class SharedCity(HttpCity):
    """One pool of connections for all; no single device closes it.

    Who waits for a connection waits here: the pool looks at all that wait each time one of them is answered,
    which for thousands that come at once takes longer than answering them.
    """

    def __init__(self, server: str, certificate: Path | None) -> None:
        super().__init__(server, certificate, HTTP_CONNECTIONS)
        self._few = asyncio.Semaphore(HTTP_CONNECTIONS)

    async def _exchange(self, method: str, path: str, body: bytes, **options: object) -> bytes:
        async with self._few:
            return await super()._exchange(method, path, body, **options)

    _hinted = False

    async def ask(self, asking: AskEnrolment) -> Enrolled:
        try:
            return await super().ask(asking)
        except Refused as refused:
            if refused.said == "too-many" and not self._hinted:
                self._hinted = True
                print(TOO_MANY, file=sys.stderr, flush=True)
            raise

    async def close(self) -> None:
        pass

    async def close_at_the_end(self) -> None:
        await super().close()


def run(chosen: dict[str, Any]) -> int:
    """Until SIGTERM, SIGINT, or the end of a parent that asked by its pipe. Raises BadConfig, AgentError."""
    if not 1 <= chosen["number"] <= MOST:
        raise BadConfig(f"-n: from 1 to {MOST}, not {chosen['number']}")
    try:
        server = normal_server(chosen["server"])
    except ValueError as error:
        raise BadConfig(f"--server: {error}") from None
    script = Script()
    if chosen["faults"]:
        try:
            script = parse(Path(chosen["faults"]).read_text(encoding="utf-8"))
        except OSError as error:
            raise BadConfig(f"--faults {chosen['faults']}: {error.strerror}") from None
    password = os.environ.get(PASSWORD) or sys.stdin.readline().rstrip("\n")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("kiosk_client").setLevel(logging.CRITICAL)  # what befalls them is no fault of ours
    logging.getLogger("kiosk_client.simulate").setLevel(logging.INFO)
    with _teller(chosen["tell"]) as tell:
        loop_factory = _fast_loop()
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_live(chosen, server, password, script, tell))
    return 0


async def _live(
    chosen: dict[str, Any],
    server: str,
    password: str,
    script: Script,
    tell: Callable[[dict[str, Any]], object],
) -> None:
    certificate = Path(chosen["ca"]) if chosen["ca"] else None
    context = tls_context(server, certificate)
    seed, many = chosen["seed"], chosen["number"]
    keys = [secret(seed, number) for number in range(many)]
    async with Desk(server, chosen["account"], password, context or True) as desk:
        places = seats(many, await desk.units(), seed)
        added = await desk.expect([(seat, _fingerprint(key)) for seat, key in zip(places, keys, strict=True)])
    tell({"what": "expected", "new": added})
    tell({"what": "places", "kiosks": [_told(seat) for seat in places]})
    city = SharedCity(server, certificate)
    dial = dialler(server, context)
    crowd: list[Crowd] = []

    def make(seat: Seat, key: bytes) -> SimulatedDevice:
        return SimulatedDevice(
            seat,
            server=server,
            secret=key,
            city=city,
            dial=dial,
            seed=seed,
            on_effect=lambda device, command: crowd[0].effect(device, command),
            words=words,
        )

    makers = [functools.partial(make, seat, key) for seat, key in zip(places, keys, strict=True)]
    plan = Plan(
        faults=script.fault,
        steps=tuple(steps(script, places, seed)),
        per_s=chosen["per_second"],
        busy=chosen["busy"],
        seed=seed,
    )
    crowd.append(Crowd(makers, plan, tell))
    living = asyncio.create_task(crowd[0].run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, living.cancel)
    try:
        await living
    except asyncio.CancelledError:
        if asyncio.current_task() is not None and not living.cancelled():
            raise
    finally:
        await city.close_at_the_end()


def _told(seat: Seat) -> dict[str, Any]:
    return {"kiosk": seat.number, "unit": seat.unit, "district": seat.district, "building": seat.building}


def _fingerprint(key: bytes) -> str:
    raw = raw_key(FileKey(key).public)
    assert raw is not None
    return fingerprint_of(raw)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return None
    return uvloop.new_event_loop


@contextlib.contextmanager
def _teller(where: str | None) -> Iterator[Callable[[dict[str, Any]], object]]:
    """Writes one JSON line for each thing that happens."""
    if where is None:
        yield lambda said: None if said["what"] in ("effect", "places") else print(_line(said), flush=True)
    elif where == "-":
        yield lambda said: print(_line(said), flush=True)
    else:
        with open(where, "w", encoding="utf-8", buffering=1) as file:
            yield lambda said: file.write(_line(said) + "\n")


def _line(said: dict[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False)
