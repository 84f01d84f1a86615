"""Where notices go: in memory for reading, in SQL before anybody hears of a change. Administrators set it."""

import base64
from collections.abc import Callable
from typing import ClassVar, Final

from msgspec.structs import replace

from kiosk_hub.fleet import notices as rules
from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import NoticeSettings, NoticeState, Route
from kiosk_hub.fleet.permissions import Action, Staff, check
from kiosk_hub.services import webhook
from kiosk_hub.store import audit
from kiosk_hub.store import notices as store
from room_manager.errors import DomainError, Stale, WrongState
from room_manager.store.database import Database

_SETTINGS: Final = "notices"
_SECRETS: Final = "notice-secrets"


class UnknownRoute(DomainError):
    """There is no such route."""

    code: ClassVar[str] = "unknown-route"


class UnknownNotice(DomainError):
    """There is no such notice."""

    code: ClassVar[str] = "unknown-notice"


class NoticeBook:
    """Settings, and the keys that webhooks are signed with."""

    def __init__(
        self, database: Database, clock: Callable[[], float], private_webhooks: bool = False
    ) -> None:
        self._database = database
        self._clock = clock
        self._private = private_webhooks
        self._secrets: dict[str, bytes] = {}
        self.settings = NoticeSettings()

    async def load(self) -> None:
        async with self._database.read() as connection:
            self.settings = await store.setting(connection, _SETTINGS, NoticeSettings, NoticeSettings())
            kept = await store.setting(connection, _SECRETS, dict[str, str], {})
        self._secrets = {route: base64.b64decode(text) for route, text in kept.items()}

    def route(self, name: str) -> Route | None:
        return next((route for route in self.settings.routes if route.id == name), None)

    def secret(self, route: str) -> bytes:
        return self._secrets.get(route, b"")

    async def save(self, staff: Staff, settings: NoticeSettings) -> NoticeSettings:
        """All of it anew; ``version`` is the one that was seen. Raises ``Stale``, ``Invalid``,
        ``NotAllowed``."""
        check(staff, Action.SET_UP)
        rules.check(settings)
        for route in settings.routes:
            if route.channel == "webhook":
                webhook.check_url(route.url, self._private)
        async with self._database.write() as connection:
            now = await store.setting(connection, _SETTINGS, NoticeSettings, NoticeSettings())
            if now.version != settings.version:
                raise Stale("the settings have changed since you looked")
            saved = replace(settings, version=settings.version + 1)
            hooks = [route.id for route in saved.routes if route.channel == "webhook"]
            secrets = {name: self._secrets.get(name) or webhook.new_secret() for name in hooks}
            await store.set_setting(connection, _SETTINGS, saved)
            await store.set_setting(connection, _SECRETS, _kept(secrets))
            await audit.append(
                connection,
                audit.Entry(
                    action="set-notices",
                    account=staff.account,
                    address=staff.address,
                    values={"version": saved.version, **_changes(now, saved)},
                ),
                self._clock(),
            )
        self.settings, self._secrets = saved, secrets
        return saved

    async def new_secret(self, staff: Staff, name: str) -> str:
        """Another key for a webhook, told this once. The old one is good no more."""
        check(staff, Action.SET_UP)
        route = self.route(name)
        if route is None or route.channel != "webhook":
            raise UnknownRoute("there is no such webhook")
        secrets = {**self._secrets, name: webhook.new_secret()}
        async with self._database.write() as connection:
            await store.set_setting(connection, _SECRETS, _kept(secrets))
            await audit.append(connection, _entry("renew-webhook-key", staff, name), self._clock())
        self._secrets = secrets
        return webhook.shown(secrets[name])

    async def note_test(self, staff: Staff, route: str, result: str) -> None:
        """Somebody had a test letter sent."""
        entry = replace(_entry("test-route", staff, route), result=result)
        async with self._database.write() as connection:
            await audit.append(connection, entry, self._clock())

    async def retry(self, staff: Staff, name: str) -> Notice:
        """Given up, and to be tried anew. Raises ``UnknownNotice``, ``WrongState``."""
        check(staff, Action.SET_UP)
        now = self._clock()
        async with self._database.write() as connection:
            notice = await store.get(connection, name)
            if notice is None:
                raise UnknownNotice("there is no such notice")
            if notice.state is not NoticeState.DEAD:
                raise WrongState(f"the notice is {notice.state}")
            again = replace(notice, state=NoticeState.WAITING, attempts=0, due_at=now, done_at=None)
            await store.put(connection, again)
            await audit.append(connection, _entry("retry-notice", staff, name), now)
        return again

    async def page(self, state: NoticeState | None, offset: int, limit: int) -> tuple[list[Notice], int]:
        async with self._database.read() as connection:
            return await store.page(connection, state, offset, limit)

    async def of_incident(self, incident: str) -> list[Notice]:
        async with self._database.read() as connection:
            return await store.of_incident(connection, incident, 100)


def _changes(before: NoticeSettings, after: NoticeSettings) -> dict[str, str | int | float | bool | None]:
    """What became different, for an auditor: routes by their ids with the fields that changed, numbers as
    they are now. Addresses are not repeated."""
    old, new = ({route.id: route for route in one.routes} for one in (before, after))
    changed = {
        name: [field for field in Route.__struct_fields__ if getattr(old[name], field) != getattr(one, field)]
        for name, one in new.items()
        if name in old
    }
    told = {
        "added": " ".join(name for name in new if name not in old),
        "removed": " ".join(name for name in old if name not in new),
        "changed": " ".join(f"{name}({','.join(fields)})" for name, fields in changed.items() if fields),
    }
    values: dict[str, str | int | float | bool | None] = {k: text for k, text in told.items() if text}
    for field in NoticeSettings.__struct_fields__:
        value = getattr(after, field)
        if field not in ("version", "routes") and value != getattr(before, field):
            quiet = isinstance(value, rules.QuietHours)
            values[field] = f"{value.from_minute}-{value.to_minute}" if quiet else value
    return values


def _kept(secrets: dict[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(secret).decode() for name, secret in secrets.items()}


def _entry(action: str, staff: Staff, what: str) -> audit.Entry:
    return audit.Entry(action=action, account=staff.account, address=staff.address, values={"what": what})
