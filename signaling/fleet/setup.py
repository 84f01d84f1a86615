"""REST: where notices go, what became of them, and a test letter."""

from typing import Final

from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import NoticeSettings, NoticeState
from kiosk_hub.fleet.permissions import Action
from kiosk_hub.services.notice_settings import UnknownRoute
from signaling.fleet.operation import Asked, Operation, Query
from signaling.settings import Settings
from signaling.wire.fleet import setup as wire


async def _settings(asked: Asked) -> wire.SetupAnswer:
    return _answer(asked, asked.hub.notifier.book.settings)


def _answer(asked: Asked, settings: NoticeSettings) -> wire.SetupAnswer:
    served: Settings = asked.request.app.state.edge.settings
    mail = served.fleet.mail
    return wire.SetupAnswer(
        settings=settings,
        mail_server=f"{mail.host}:{mail.port}" if mail.host else "",
        mail_sender=mail.sender,
        private_webhooks=served.fleet.private_webhooks,
    )


async def _save(asked: Asked) -> wire.SetupAnswer:
    told: NoticeSettings = await asked.body(NoticeSettings)
    saved = await asked.hub.notifier.book.save(asked.staff, told)
    asked.hub.changes.audit_changed()
    return _answer(asked, saved)


async def _test(asked: Asked) -> wire.TestAnswer:
    route = asked.hub.notifier.book.route(asked.path("route"))
    if route is None:
        raise UnknownRoute("there is no such route")
    results = await asked.hub.notifier.try_route(route)
    failed = [code for _, code, _ in results if code]
    await asked.hub.notifier.book.note_test(asked.staff, route.id, failed[0] if failed else "done")
    asked.hub.changes.audit_changed()
    return wire.TestAnswer(tuple(wire.TestLine(to, code, text) for to, code, text in results))


async def _secret(asked: Asked) -> wire.SecretAnswer:
    secret = await asked.hub.notifier.book.new_secret(asked.staff, asked.path("route"))
    asked.hub.changes.audit_changed()
    return wire.SecretAnswer(secret)


async def _notices(asked: Asked) -> wire.NoticesAnswer:
    state = asked.text("state")
    found, total = await asked.hub.notifier.book.page(
        NoticeState(state) if state else None, asked.number("offset", 0), asked.number("limit", 50)
    )
    return wire.NoticesAnswer(asked.hub.directory.clock(), total, tuple(_outgoing(one) for one in found))


async def _retry(asked: Asked) -> wire.OutgoingNotice:
    notice = await asked.hub.notifier.book.retry(asked.staff, asked.path("notice"))
    asked.hub.notifier.done()
    asked.hub.changes.audit_changed()
    return _outgoing(notice)


def _outgoing(one: Notice) -> wire.OutgoingNotice:
    return wire.OutgoingNotice(
        id=one.id,
        kind=one.kind,
        state=one.state,
        route=one.route_name,
        channel=one.channel,
        to=one.to,
        subject=one.letter.subject,
        created_at=one.created_at,
        due_at=one.due_at,
        done_at=one.done_at,
        attempts=one.attempts,
        code=one.code,
        error=one.error,
    )


SETUP: Final = (
    Operation(
        method="GET",
        path="/notices/settings",
        action=Action.SET_UP,
        summary="Where notices of incidents go",
        call=_settings,
        answer=wire.SetupAnswer,
    ),
    Operation(
        method="PUT",
        path="/notices/settings",
        action=Action.SET_UP,
        summary="Set where notices of incidents go, all of it",
        call=_save,
        answer=wire.SetupAnswer,
        body=NoticeSettings,
        refusals=("stale", "invalid"),
    ),
    Operation(
        method="POST",
        path="/notices/routes/{route}/test",
        action=Action.SET_UP,
        summary="Send a test letter now, and say what came of it",
        call=_test,
        answer=wire.TestAnswer,
        refusals=("unknown-route",),
    ),
    Operation(
        method="POST",
        path="/notices/routes/{route}/secret",
        action=Action.SET_UP,
        summary="Make a webhook a new key to sign with, shown this once",
        call=_secret,
        answer=wire.SecretAnswer,
        refusals=("unknown-route",),
    ),
    Operation(
        method="GET",
        path="/notices",
        action=Action.SET_UP,
        summary="Notices that went out, wait, or were given up, the latest first",
        call=_notices,
        answer=wire.NoticesAnswer,
        query=(
            Query("state", "only those", choices=tuple(NoticeState)),
            Query("offset", "how many to pass over", int, 0, 1_000_000),
            Query("limit", "how many at most", int, 1, 200),
        ),
    ),
    Operation(
        method="POST",
        path="/notices/{notice}/retry",
        action=Action.SET_UP,
        summary="Try one again that was given up",
        call=_retry,
        answer=wire.OutgoingNotice,
        refusals=("unknown-notice", "wrong-state"),
    ),
)
