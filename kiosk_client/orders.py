"""How an order goes on the device: states as a table, and what to do next. Pure.

What must survive a power cut is only whether the effect may have begun. So these states are on the disk; the
city's leave to begin (``go``) is not: after a cut it is asked for anew, and the right looked at anew.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from signaling.wire.kiosk.words import Order, Outcome, Reboot, RestartAgent


class OrderState(StrEnum):
    """How far an order is."""

    WAITING = "waiting"
    BEGUN = "begun"  # its effect may have happened
    DONE = "done"  # its outcome is in the outbox, or told
    REFUSED = "refused"  # the city said no-go
    EXPIRED = "expired"
    TAKEN_BACK = "taken-back"


class Happening(StrEnum):
    """What may happen to an order."""

    BEGIN = "begin"
    FINISH = "finish"
    REFUSE = "refuse"
    EXPIRE = "expire"
    TAKE_BACK = "take-back"


TRANSITIONS: Final[Mapping[OrderState, Mapping[Happening, OrderState]]] = {
    OrderState.WAITING: {
        Happening.BEGIN: OrderState.BEGUN,
        Happening.REFUSE: OrderState.REFUSED,
        Happening.EXPIRE: OrderState.EXPIRED,
        Happening.TAKE_BACK: OrderState.TAKEN_BACK,
    },
    OrderState.BEGUN: {Happening.FINISH: OrderState.DONE},
    OrderState.DONE: {},
    OrderState.REFUSED: {},
    OrderState.EXPIRED: {},
    OrderState.TAKEN_BACK: {},
}


class Look(Struct, frozen=True):
    """What the choice depends on."""

    city_now: float | None  # None: unknown, so nothing may be called expired
    in_session: bool
    connected: bool  # welcomed by the city, so that it can be asked for leave


class Expire(Struct, frozen=True):
    """Too late for this one."""

    order: Order


class Ask(Struct, frozen=True):
    """Ask the city whether this one may begin now."""

    order: Order


class Rest(Struct, frozen=True):
    """Nothing to do before this time on the city's clock, unless something changes; None: nothing at all."""

    until: float | None


Next = Expire | Ask | Rest


def may_begin(order: Order, look: Look) -> bool:
    """Is no resident in its way?"""
    if not look.in_session or not order.waits_for_session:
        return True
    return order.force_at is not None and look.city_now is not None and look.city_now >= order.force_at


def next_step(waiting: Sequence[Order], look: Look) -> Next:
    """The oldest that can go on does; one that waits for a resident holds up nobody."""
    if look.city_now is not None:
        for order in waiting:
            if look.city_now >= order.expires_at:
                return Expire(order)
    if look.connected:
        for order in waiting:
            if may_begin(order, look):
                return Ask(order)
    if look.city_now is None:
        return Rest(None)
    times = [order.expires_at for order in waiting]
    times += [
        order.force_at for order in waiting if order.force_at is not None and order.force_at > look.city_now
    ]
    return Rest(min(times, default=None))


class Begun(Struct, frozen=True):
    """An order whose effect had begun when the process ended."""

    order: Order
    boot: str
    run: str


def outcome_after_restart(begun: Begun, boot: str, run: str) -> Outcome | None:
    """What is to be said of it by the process that follows; None: it is still being carried out by this one.

    Where the effect *is* the restart, the restart proves it. Of anything else it cannot be known how much of
    it happened, and it is not tried again: at most once.
    """
    if begun.run == run:
        return None
    match begun.order.do:
        case RestartAgent():
            return Outcome(succeeded=True)
        case Reboot() if begun.boot != boot:
            return Outcome(succeeded=True)
        case Reboot():
            return Outcome(succeeded=False, code="interrupted", text="Máy chưa khởi động lại")
        case _:
            return Outcome(
                succeeded=False,
                code="interrupted",
                text="Tiến trình dừng giữa chừng; không thực hiện lại lần nữa",
            )
