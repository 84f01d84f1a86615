"""What devices ask by HTTP, described for OpenAPI. The routes themselves are in :mod:`signaling.kiosk.routes`
and
:mod:`signaling.kiosk.targets`; a test holds both together."""

from typing import Any, Final, Literal

from msgspec import Struct

from signaling.wire.kiosk import rest

Text = dict[str, Any]
_WORD: Final[Text] = {"type": "string", "minLength": 1, "maxLength": 64}


class DeviceCall(Struct, frozen=True, kw_only=True):
    """One request of a device."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    summary: str
    answer: type[Any] | None = None
    body: type[Any] | None = None
    status: int = 200
    media_type: str = "application/json"
    query: dict[str, Text] = {}
    refusals: tuple[str, ...] = ()
    bearer: bool = False
    takes_bytes: bool = False


DEVICE_CALLS: Final = (
    DeviceCall(
        method="POST",
        path="/api/kiosk/enrolments",
        summary="A new device asks to be let in; signed by its key",
        body=rest.AskEnrolment,
        answer=rest.Enrolled,
        status=201,
        refusals=("bad-signature",),
    ),
    DeviceCall(
        method="POST",
        path="/api/kiosk/enrolments/{enrolment}/look",
        summary="How far is it? Signed; the credential is made when it is collected here",
        body=rest.ProveEnrolment,
        answer=rest.EnrolmentNews,
        refusals=("bad-signature", "unknown-enrolment", "replayed"),
    ),
    DeviceCall(
        method="POST",
        path="/api/kiosk/tokens/challenge",
        summary="A nonce to sign",
        answer=rest.TokenChallenge,
    ),
    DeviceCall(
        method="POST",
        path="/api/kiosk/tokens",
        summary="A bearer token for a signed nonce",
        body=rest.AskToken,
        answer=rest.TokenGiven,
        refusals=("bad-signature", "replayed", "quarantined", "retired"),
    ),
    DeviceCall(
        method="PUT",
        path="/api/kiosk/evidence/{evidence}",
        summary="A file that proves a result; a repeated upload is one",
        query={
            "command": _WORD,
            "kind": {"type": "string", "enum": ["screenshot", "log"]},
            "sha256": {"type": "string", "minLength": 64, "maxLength": 64},
        },
        bearer=True,
        takes_bytes=True,
        status=204,
        refusals=("bad-token", "bad-field"),
    ),
    DeviceCall(
        method="GET",
        path="/api/kiosk/line-check",
        summary="A mebibyte that means nothing, to measure the line with",
        media_type="application/octet-stream",
        bearer=True,
        refusals=("bad-token", "too-many"),
    ),
    DeviceCall(
        method="GET",
        path="/api/kiosk/targets/{path}",
        summary="Signed metadata and offered bundles, with ranges",
        media_type="application/octet-stream",
        bearer=True,
        refusals=("bad-token",),
    ),
)
