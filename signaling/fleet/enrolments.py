"""REST: letting devices in, expecting them, and keeping them out."""

import time
from typing import Final

from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.enrolment import Binding, Enrolment
from kiosk_hub.fleet.ids import DeviceId, EnrolmentId, Fingerprint
from kiosk_hub.fleet.lifecycle import Step
from kiosk_hub.fleet.permissions import Action
from kiosk_hub.fleet.preauthorisation import MAX_NAME_CHARS, Expected, fingerprint_in, parse
from room_manager.text import one_line
from signaling.fleet.operation import Asked, Operation
from signaling.wire.fleet.devices import AskWhy
from signaling.wire.fleet.enrolments import (
    AskBind,
    AskExpect,
    AskFindCode,
    AskRefuse,
    EnrolmentRow,
    EnrolmentsAnswer,
    ExpectAnswer,
    ExpectedAnswer,
    ExpectedRow,
    IdentityAnswer,
    ListFault,
)
from signaling.wire.kiosk.fingerprint import fingerprint_of, words_of

MAX_FAULTS: Final = 50


async def waiting(asked: Asked) -> EnrolmentsAnswer:
    directory = asked.hub.directory
    rows = []
    for one in asked.hub.enrolments.waiting():
        district = (
            directory.geography.district_of(one.binding.place.unit) if one.binding is not None else None
        )
        if district is None or asked.staff.grant.covers(district):
            rows.append(_row(one))
    return EnrolmentsAnswer(time.time(), tuple(rows))


async def find(asked: Asked) -> EnrolmentRow:
    body: AskFindCode = await asked.body(AskFindCode)
    return _row(await asked.hub.enrolments.find(asked.staff, body.code))


async def bind(asked: Asked) -> EnrolmentRow:
    body: AskBind = await asked.body(AskBind)
    binding = Binding(one_line(body.name, MAX_NAME_CHARS, "name"), body.kind, body.place)
    id = EnrolmentId(asked.path("enrolment"))
    seen = Fingerprint(body.fingerprint)
    return _row(await asked.hub.enrolments.bind(asked.staff, id, body.code, seen, binding))


async def refuse(asked: Asked) -> EnrolmentRow:
    body: AskRefuse = await asked.body(AskRefuse)
    why = one_line(body.why, 300, "why") if body.why.strip() else ""
    return _row(await asked.hub.enrolments.refuse(asked.staff, EnrolmentId(asked.path("enrolment")), why))


async def expected(asked: Asked) -> ExpectedAnswer:
    return ExpectedAnswer(tuple(_expected_row(one) for one in asked.hub.enrolments.expected()))


async def expect(asked: Asked) -> ExpectAnswer:
    body: AskExpect = await asked.body(AskExpect)
    rows, faults = parse(body.csv)
    faults = faults + asked.hub.enrolments.faults_of(rows)
    if faults:
        told = sorted(faults, key=lambda fault: fault.line)[:MAX_FAULTS]
        return ExpectAnswer(0, tuple(ListFault(fault.line, fault.code, fault.text) for fault in told))
    await asked.hub.enrolments.expect(asked.staff, rows)
    return ExpectAnswer(len(rows))


async def expect_no_more(asked: Asked) -> None:
    await asked.hub.enrolments.expect_no_more(asked.staff, fingerprint_in(asked.path("fingerprint")))


async def quarantine(asked: Asked) -> IdentityAnswer:
    return await _take(asked, Step.QUARANTINE)


async def release(asked: Asked) -> IdentityAnswer:
    return await _take(asked, Step.RELEASE)


async def retire(asked: Asked) -> IdentityAnswer:
    return await _take(asked, Step.RETIRE)


async def rotate_key(asked: Asked) -> IdentityAnswer:
    return _identity(await asked.hub.identities.ask_rotation(asked.staff, _device(asked)))


async def _take(asked: Asked, step: Step) -> IdentityAnswer:
    body: AskWhy = await asked.body(AskWhy)
    why = one_line(body.why, 300, "why")
    return _identity(await asked.hub.identities.take(asked.staff, _device(asked), step, why))


def _device(asked: Asked) -> DeviceId:
    return DeviceId(asked.path("device"))


def _row(one: Enrolment) -> EnrolmentRow:
    row = EnrolmentRow(
        id=one.id,
        state=one.state,
        kind=one.kind,
        hardware=one.hardware,
        agent=one.agent,
        words=words_of(one.fingerprint),
        fingerprint=one.fingerprint,
        address=one.address,
        asked_at=one.asked_at,
        expires_at=one.expires_at,
        by=one.bound_by,
        preauthorised=one.preauthorised,
        device=one.device,
    )
    if one.binding is None:
        return row
    return replace(row, kind=one.binding.kind, name=one.binding.name, unit=one.binding.place.unit)


def _expected_row(one: Expected) -> ExpectedRow:
    return ExpectedRow(
        fingerprint=one.fingerprint,
        words=words_of(one.fingerprint),
        name=one.binding.name,
        kind=one.binding.kind,
        place=one.binding.place,
        added_by=one.added_by,
        added_at=one.added_at,
    )


def _identity(device: Device) -> IdentityAnswer:
    return IdentityAnswer(
        device=device.id,
        state=device.state,
        reason=device.state_reason,
        words=words_of(device.fingerprint),
        rotation_asked=device.rotation_asked,
        next_words=words_of(fingerprint_of(device.next_key)) if device.next_key is not None else (),
    )


_CODES: Final = ("locked-out", "unknown-code", "invalid")

ENROLMENTS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path="/enrolments",
        action=Action.ENROL,
        summary="Devices on their way in, and those let in or refused lately",
        call=waiting,
        answer=EnrolmentsAnswer,
    ),
    Operation(
        method="POST",
        path="/enrolments/find",
        action=Action.ENROL,
        summary="The device that shows this code",
        call=find,
        body=AskFindCode,
        answer=EnrolmentRow,
        refusals=_CODES,
    ),
    Operation(
        method="POST",
        path="/enrolments/{enrolment}/bind",
        action=Action.ENROL,
        summary="Bind the device to a place; it collects its credential",
        call=bind,
        body=AskBind,
        answer=EnrolmentRow,
        refusals=(*_CODES, "wrong-fingerprint", "wrong-state", "unknown-site"),
    ),
    Operation(
        method="POST",
        path="/enrolments/{enrolment}/refuse",
        action=Action.ENROL,
        summary="Do not let the device in, or take back an approval it has not collected",
        call=refuse,
        body=AskRefuse,
        answer=EnrolmentRow,
        refusals=("unknown-enrolment", "wrong-state", "invalid"),
    ),
    Operation(
        method="GET",
        path="/expected",
        action=Action.PREAUTHORISE,
        summary="Devices that are let in as soon as they ask",
        call=expected,
        answer=ExpectedAnswer,
    ),
    Operation(
        method="POST",
        path="/expected",
        action=Action.PREAUTHORISE,
        summary="Expect the devices of a list, all or none",
        call=expect,
        body=AskExpect,
        answer=ExpectAnswer,
    ),
    Operation(
        method="DELETE",
        path="/expected/{fingerprint}",
        action=Action.PREAUTHORISE,
        summary="Expect a device no more",
        call=expect_no_more,
        answer=None,
        refusals=("unknown-enrolment", "invalid"),
    ),
    *(
        Operation(
            method="POST",
            path=f"/devices/{{device}}/{name}",
            action=action,
            summary=summary,
            call=call,
            body=AskWhy,
            answer=IdentityAnswer,
            refusals=("unknown-device", "wrong-state", "invalid"),
        )
        for name, action, summary, call in (
            ("quarantine", Action.QUARANTINE, "Let the device in no more until it is released", quarantine),
            ("release", Action.QUARANTINE, "Let a quarantined device in again", release),
            ("retire", Action.RETIRE, "Let the device in never again", retire),
        )
    ),
    Operation(
        method="POST",
        path="/devices/{device}/rotate-key",
        action=Action.QUARANTINE,
        summary="Have the device make a new key",
        call=rotate_key,
        answer=IdentityAnswer,
        refusals=("unknown-device", "wrong-state"),
    ),
)
