"""The orders on the disk, and that each has its effect once.

``begin`` is durable before the effect begins, ``finish`` together with the report of the outcome. What comes
again is known by its id and changes nothing.
"""

import logging
from typing import Final

import msgspec

from kiosk_client.orders import TRANSITIONS, Begun, Happening, OrderState
from kiosk_client.outbox import Outbox
from kiosk_client.store import Store
from signaling.wire.kiosk.words import Began, CommandId, DeviceTime, Done, Order, Outcome

MOST_OPEN: Final = 200
"""Orders that wait here; the city holds back at fewer. More are not acknowledged, so they come again."""

REMEMBERED_S: Final = 7 * 86_400.0
"""After its end an order is not sent any more; so long its id is still known, for what lingers somewhere."""

_decoder: Final = msgspec.json.Decoder(Order)

log = logging.getLogger(__name__)


class Ledger:
    """The table, and what of it is open in memory. Methods that write raise NotKept."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox
        self._states: dict[CommandId, OrderState] = {}
        self._waiting: dict[CommandId, Order] = {}
        self.begun: dict[CommandId, Begun] = {}
        for id_, state, body, boot, run in store.read(
            "SELECT id, state, body, boot, run FROM orders ORDER BY seq"
        ):
            command = CommandId(id_)
            self._states[command] = OrderState(state)
            if state not in (OrderState.WAITING, OrderState.BEGUN):
                continue
            try:
                order = _decoder.decode(body)
            except msgspec.DecodeError as error:  # newer software kept it, and gave way to this one
                log.error("! order %s is not understood: %s", command, error)
                self._states[command] = OrderState.REFUSED  # for this process; the city ends it
                continue
            if state == OrderState.WAITING:
                self._waiting[command] = order
            else:
                self.begun[command] = Begun(order, boot, run)

    def waiting(self) -> list[Order]:
        """Not begun, the oldest first."""
        return list(self._waiting.values())

    def state(self, id_: CommandId) -> OrderState | None:
        return self._states.get(id_)

    def receive(self, order: Order) -> bool:
        """True: it is on the disk, now or since before, and may be acknowledged. False: too many are open."""
        if order.id in self._states:
            return True
        if len(self._waiting) >= MOST_OPEN:
            return False
        with self._store.write() as connection:
            connection.execute(
                "INSERT INTO orders (id, state, ends_at, body) VALUES (?, ?, ?, ?)",
                (order.id, OrderState.WAITING, order.expires_at, msgspec.json.encode(order)),
            )
        self._states[order.id] = OrderState.WAITING
        self._waiting[order.id] = order
        return True

    def take_back(self, id_: CommandId, city_now: float) -> None:
        """It will not begin, even if it comes only now; one that has begun goes on."""
        if id_ not in self._states:
            with self._store.write() as connection:
                connection.execute(
                    "INSERT INTO orders (id, state, ends_at) VALUES (?, ?, ?)",
                    (id_, OrderState.TAKEN_BACK, city_now),
                )
            self._states[id_] = OrderState.TAKEN_BACK
        elif self._states[id_] is OrderState.WAITING:
            self._change(id_, Happening.TAKE_BACK)

    def refuse(self, id_: CommandId) -> None:
        self._change(id_, Happening.REFUSE)

    def expire(self, id_: CommandId) -> None:
        self._change(id_, Happening.EXPIRE)

    def begin(self, id_: CommandId, at: DeviceTime, run: str, city_now: float | None) -> Order:
        """From now on the effect may happen."""
        state = TRANSITIONS[self._states[id_]][Happening.BEGIN]
        with self._store.write() as connection:
            connection.execute(
                "UPDATE orders SET state = ?, boot = ?, run = ? WHERE id = ?", (state, at.boot, run, id_)
            )
            self._outbox.put_within(connection, Began(id_), at, city_now)
        self._outbox.refresh()
        self._states[id_] = state
        order = self._waiting.pop(id_)
        self.begun[id_] = Begun(order, at.boot, run)
        return order

    def finish(
        self,
        id_: CommandId,
        outcome: Outcome,
        at: DeviceTime,
        city_now: float | None,
        evidence: str | None = None,
    ) -> None:
        """It has ended; the city will be told, whatever happens to us."""
        state = TRANSITIONS[self._states[id_]][Happening.FINISH]
        with self._store.write() as connection:
            connection.execute("UPDATE orders SET state = ? WHERE id = ?", (state, id_))
            self._outbox.put_within(connection, Done(id_, outcome), at, city_now, evidence)
        self._outbox.refresh()
        self._states[id_] = state
        del self.begun[id_]

    def clear_out(self, city_now: float) -> None:
        """Forget what ended long ago."""
        with self._store.write() as connection:
            gone = connection.execute(
                "DELETE FROM orders WHERE ends_at < ? AND state NOT IN (?, ?) RETURNING id",
                (city_now - REMEMBERED_S, OrderState.WAITING, OrderState.BEGUN),
            ).fetchall()
        for (id_,) in gone:
            del self._states[CommandId(id_)]

    def _change(self, id_: CommandId, happening: Happening) -> None:
        state = TRANSITIONS[self._states[id_]][happening]
        with self._store.write() as connection:
            connection.execute("UPDATE orders SET state = ? WHERE id = ?", (state, id_))
        self._states[id_] = state
        self._waiting.pop(id_, None)
