"""Which page the screen shows, of all that is known. Pure: time is an argument."""

import math
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from kiosk_client.body.sessions import Service
from kiosk_client.ports import Standing
from signaling.wire.kiosk.bundles import USUAL, Configuration
from signaling.wire.kiosk.page import Announcement, PairingShown, Shown
from signaling.wire.kiosk.words import DeviceSettings

PASSING: Final = frozenset({"too-many", "shutting-down", "lagging", "superseded"})
"""Codes with which the city sends a device away that residents need not notice."""


class Stage(Struct, frozen=True, kw_only=True):
    """What the page depends on."""

    standing: Standing = Standing("starting")
    settings: DeviceSettings | None = None
    configuration: Configuration = USUAL
    out_of_service: str | None = None  # the message; None: in service
    service: Service = Service()
    announcements: tuple[Announcement, ...] = ()


def serves(stage: Stage) -> bool:
    """May a resident begin?"""
    if stage.out_of_service is not None:
        return False
    match stage.standing.state:
        case "connected" | "cut":
            return True
        case "sent-away":
            return stage.standing.code in PASSING
        case "starting" | "enrolling":
            return False


def shown(stage: Stage, now: float | None) -> Shown:
    """What is drawn. ``now``: seconds, UTC, on the city's clock; None: unknown."""
    base = Shown(
        scene="wait",
        now=now,
        name=stage.settings.name if stage.settings else "",
        online=stage.standing.state == "connected",
        session=stage.service.number,
        idle_s=stage.configuration.session_idle_s,
        language=stage.configuration.language,
        text_size=stage.configuration.text_size,
        mm_per_px=stage.settings.place.mm_per_px if stage.settings else None,
        low_reach_mm=stage.settings.place.low_reach_mm if stage.settings else None,
    )
    if stage.out_of_service is not None:
        return replace(base, scene="out-of-service", message=stage.out_of_service)
    if serves(stage):
        scene = "session" if stage.service.active else "attract"
        return replace(base, scene=scene, announcements=stage.announcements)
    if stage.standing.state == "sent-away":
        return replace(base, scene="sent-away", code=stage.standing.code)
    pairing = stage.standing.pairing
    if stage.standing.state == "enrolling" and pairing is not None:
        left_s = max(0.0, pairing.expires_at - now) if now is not None else 0.0
        told = PairingShown(pairing.code, pairing.words, math.ceil(left_s / 60))
        return replace(base, scene="pairing", pairing=told)
    return base
