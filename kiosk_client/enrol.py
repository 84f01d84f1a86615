"""Being let in: the device asks, shows a code, looks whether staff have bound it. Its key is all it has."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Final

from kiosk_client.backoff import SENT_AWAY_S, Backoff
from kiosk_client.city import City, Refused
from kiosk_client.clock import CityClock
from kiosk_client.counter import BLOCK, Counter
from kiosk_client.key import DeviceKey
from kiosk_client.ports import Pairing, Standing
from kiosk_client.system import System
from kiosk_client.wire import Cut
from signaling.wire.kiosk import proofs
from signaling.wire.kiosk.rest import AskEnrolment, Enrolled, EnrolmentNews, ProveEnrolment
from signaling.wire.kiosk.words import DeviceKind, EnrolmentState

LOOKS_AT_LEAST_EVERY_S: Final = 1.0
LOOKS_AT_MOST_EVERY_S: Final = 60.0
ASK_AGAIN_S: Final = SENT_AWAY_S
PASSING: Final = frozenset({"unknown-enrolment", "replayed", "too-many"})
"""Nothing that anybody who stands before the screen could do something about."""

log = logging.getLogger(__name__)


class Enroller:
    """Asks until it is let in. A restart simply asks again: the city knows the key, and goes on with it."""

    def __init__(
        self,
        *,
        city: City,
        key: DeviceKey,
        counter: Counter,
        clock: CityClock,
        system: System,
        kind: DeviceKind,
        hardware: str,
        agent: str,
        show: Callable[[Standing], None],
        chance: Callable[[], float],
        words: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._city = city
        self._key = key
        self._counter = counter
        self._clock = clock
        self._system = system
        self._kind = kind
        self._hardware = hardware
        self._agent = agent
        self._show = show
        self._chance = chance
        self._words = words

    async def enrol(self) -> EnrolmentNews:
        """The news that brought ``device`` and ``settings``."""
        backoff = Backoff()
        while True:
            wait_s = 0.0
            try:
                news = await self._try()
                if news.device is not None and news.settings is not None:
                    return news
                if news.state in (EnrolmentState.REFUSED, EnrolmentState.LOCKED):
                    log.warning("x enrolment %s", news.state)
                    self._show(Standing("sent-away", news.state))
                    wait_s = ASK_AGAIN_S * (1 + 0.2 * self._chance())
                backoff = Backoff()  # the city answers; a code that expired is asked anew at once
            except Cut as cut:
                log.warning("! enrolling: %s", cut)
                self._show(Standing("cut"))
                wait_s = backoff.wait_s(self._chance(), cut.retry_after_s)
            except Refused as refused:
                log.warning("! enrolling refused: %s %s", refused.said, refused)
                if refused.said not in PASSING:
                    self._show(Standing("sent-away", refused.said))
                if refused.said not in PASSING and refused.retry_after_s is None:
                    wait_s = ASK_AGAIN_S * (1 + 0.2 * self._chance())
                else:  # the city's wait alone would bring all of a crowd back together, again and again
                    wait_s = backoff.wait_s(self._chance(), refused.retry_after_s or 0.0)
                if refused.said == "replayed":
                    # Our folder was lost, and with it the numbers of the looks that the city has seen.
                    self._counter.at_least(2 * self._counter.next() + BLOCK)
            await asyncio.sleep(wait_s)

    async def _try(self) -> EnrolmentNews:
        """One code, from asking to its end."""
        enrolled = await self._ask()
        log.info("> enrolment %s asked: %s", enrolled.enrolment, enrolled.state)
        if enrolled.state is EnrolmentState.WAITING:
            words = self._words(self._key.public)
            self._show(
                Standing(
                    "enrolling", pairing=Pairing(enrolled.code, enrolled.url, words, enrolled.expires_at)
                )
            )
        else:
            self._show(Standing("enrolling"))
        every_s = min(max(enrolled.look_every_s, LOOKS_AT_LEAST_EVERY_S), LOOKS_AT_MOST_EVERY_S)
        backoff = Backoff()
        first = enrolled.state is not EnrolmentState.WAITING
        while True:
            if not first:
                await asyncio.sleep(every_s * (0.8 + 0.4 * self._chance()))
            first = False
            try:
                news = await self._look(enrolled)
                backoff.eased()
            except Cut as cut:  # the code on the screen is still good
                await asyncio.sleep(backoff.wait_s(self._chance(), cut.retry_after_s))
                continue
            except Refused as refused:
                if refused.said != "too-many":
                    raise
                await asyncio.sleep(backoff.wait_s(self._chance(), refused.retry_after_s or 0.0))
                continue
            if news.state is EnrolmentState.BOUND:
                self._show(Standing("enrolling"))
            elif news.state is not EnrolmentState.WAITING:
                log.info("< enrolment %s: %s", enrolled.enrolment, news.state)
                return news

    async def _ask(self) -> Enrolled:
        salt = secrets.token_urlsafe(16)
        text = proofs.enrolment_text(self._key.public, self._kind, self._hardware, salt)
        asking = AskEnrolment(
            public_key=self._key.public,
            kind=self._kind,
            hardware=self._hardware,
            agent=self._agent,
            at=max(0.0, self._system.wall()),
            salt=salt,
            signature=self._key.sign(text),
        )
        began = self._system.mono()
        answer = await self._city.ask(asking)
        self._clock.hear(answer.time, began, self._system.mono())
        return answer

    async def _look(self, enrolled: Enrolled) -> EnrolmentNews:
        counter = self._counter.next()
        proof = ProveEnrolment(counter, self._key.sign(proofs.look_text(enrolled.enrolment, counter)))
        began = self._system.mono()
        answer = await self._city.look(enrolled.enrolment, proof)
        self._clock.hear(answer.time, began, self._system.mono())
        return answer
