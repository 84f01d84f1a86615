"""What a device asks by REST before it has a line: to be let in, and for tokens. Nothing here needs a
log-in; each request is signed, and how many come from one address is bounded."""

from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from kiosk_hub.fleet.errors import BadSignature
from kiosk_hub.fleet.ids import DeviceId, EnrolmentId, Fingerprint
from kiosk_hub.fleet.lifecycle import check_let_in
from kiosk_hub.services.enrolments import Asking
from signaling.auth import TooMany, address_of
from signaling.kiosk.door import Door
from signaling.kiosk.line import settings_of
from signaling.kiosk.proving import check_signed_by, key_in, key_that_signed
from signaling.tokens import BadToken
from signaling.wire.codec import Refused
from signaling.wire.kiosk import proofs
from signaling.wire.kiosk.fingerprint import fingerprint_of
from signaling.wire.kiosk.rest import (
    AskEnrolment,
    AskToken,
    Enrolled,
    EnrolmentNews,
    ProveEnrolment,
    TokenChallenge,
    TokenGiven,
)

LOOK_EVERY_S: Final = 3.0

T = TypeVar("T")


async def ask_enrolment(door: Door, request: Request) -> Response:
    _limit(door, request)
    asked = await _body(request, AskEnrolment)
    key = key_in(asked.public_key)
    _check_line("hardware", asked.hardware)
    _check_line("salt", asked.salt)
    text = proofs.enrolment_text(asked.public_key, asked.kind.value, asked.hardware, asked.salt)
    check_signed_by(key, asked.signature, text)
    asking = Asking(
        public_key=key,
        fingerprint=Fingerprint(fingerprint_of(key)),
        kind=asked.kind,
        hardware=asked.hardware,
        agent=asked.agent,
        address=address_of(request),
    )
    enrolment, code = await door.enrolments.ask(asking)
    answer = Enrolled(
        enrolment=enrolment.id,
        state=enrolment.state,
        code=code,
        url=f"{_origin(door, request)}/fleet/enrol#{code}" if code else "",
        expires_at=enrolment.expires_at,
        look_every_s=LOOK_EVERY_S,
        time=door.clock(),
    )
    return _json(answer, 201)


async def look(door: Door, request: Request) -> Response:
    _limit(door, request)
    asked = await _body(request, ProveEnrolment)
    id = EnrolmentId(request.path_params["enrolment"])
    known = door.enrolments.known(id)
    check_signed_by(known.public_key, asked.signature, proofs.look_text(id, asked.counter))
    enrolment, device = await door.enrolments.look(id, asked.counter)
    settings = settings_of(device, door.lines.beat_every_s) if device is not None else None
    return _json(
        EnrolmentNews(
            state=enrolment.state,
            time=door.clock(),
            device=device.id if device is not None else None,
            settings=settings,
            counter=device.counter if device is not None else 0,
            text=enrolment.text,
        )
    )


async def challenge(door: Door, request: Request) -> Response:
    _limit(door, request)
    return _json(TokenChallenge(nonce=door.nonces.give(door.edge.monotonic()), time=door.clock()))


async def token(door: Door, request: Request) -> Response:
    _limit(door, request)
    asked = await _body(request, AskToken)
    door.nonces.spend(asked.nonce, door.edge.monotonic())
    device = door.hub.directory.find(asked.device)
    if device is None:
        raise BadSignature("this signature is not this device's over this challenge")
    host = request.headers.get("host", "").lower()
    key_that_signed(device, asked.signature, proofs.token_text(host, asked.device, asked.nonce))
    check_let_in(device)
    given, ends_at = door.tokens.give(device.id)
    return _json(TokenGiven(token=given, token_ends_at=ends_at, time=door.clock()))


def device_of(door: Door, request: Request) -> DeviceId:
    """Who asks, by its bearer token; it is let in now. Raises ``BadToken``, ``Expired``, ``Quarantined``,
    ``Retired``."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        raise BadToken("this needs a device's bearer token")
    device = door.hub.directory.find(door.tokens.check(given.strip()))
    if device is None:
        raise BadToken("this token's device is no more")
    check_let_in(device)
    return device.id


def _limit(door: Door, request: Request) -> None:
    """Of one address, that is no known network's, so many a second. Raises ``TooMany``."""
    address = address_of(request)
    if not door.edge.lobby.is_known(address) and not door.askers.take(address, door.edge.monotonic()):
        raise TooMany("too many devices ask from this address; wait a moment", 2)


def _check_line(field: str, text: str) -> None:
    """What is signed has no line break in it."""
    if "\n" in text:
        raise Refused("bad-field", f"{field}: one line")


def _origin(door: Door, request: Request) -> str:
    public = door.edge.settings.public_origins
    return public[0].rstrip("/") if public else f"{request.scope['scheme']}://{request.headers['host']}"


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as error:
        raise Refused("bad-field", str(error).replace("`$.", "`")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("bad-json", "the body is not JSON") from None


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
