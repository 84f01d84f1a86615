"""Puts the fleet together: which adapter serves which port, and in what order things open."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette

from kiosk_hub.fleet.news import KeyAnnounced
from kiosk_hub.hub import Hub
from kiosk_hub.services.audit import Audit
from kiosk_hub.services.bulks import Bulks
from kiosk_hub.services.bundles import Bundles
from kiosk_hub.services.commands import Commands
from kiosk_hub.services.diary import DiaryKeeper
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.enrolments import Enrolments
from kiosk_hub.services.evidence import EvidenceRoom
from kiosk_hub.services.evidence_intake import Intake
from kiosk_hub.services.feed import Changes
from kiosk_hub.services.geography import Geography
from kiosk_hub.services.grants import Grants
from kiosk_hub.services.history import History
from kiosk_hub.services.identities import Identities
from kiosk_hub.services.incidents import Incidents
from kiosk_hub.services.mail import MailChannel
from kiosk_hub.services.notice_settings import NoticeBook
from kiosk_hub.services.notifier import Notifier
from kiosk_hub.services.registry import Registry
from kiosk_hub.services.reports import Reports
from kiosk_hub.services.rollouts import Rollouts
from kiosk_hub.services.signing import Repository
from kiosk_hub.services.webhook import WebhookChannel
from kiosk_hub.store.staff import StaffStore
from room_manager.store.database import Database, open_database
from room_manager.store.stores import Stores
from signaling.auth import Logins
from signaling.edge import Edge
from signaling.fleet.figures import FleetFigures
from signaling.fleet.live import Live
from signaling.fleet.staff import StaffLogins
from signaling.kiosk.door import Door
from signaling.kiosk.evidence import wanted_by
from signaling.kiosk.lines import Lines
from signaling.kiosk.rotation import takes_keys
from signaling.kiosk.targets import Targets
from signaling.kiosk.tokens import DeviceTokens
from signaling.tokens import new_key


async def open_fleet(
    app: Starlette, edge: Edge, database: Database, stores: Stores, stack: AsyncExitStack
) -> Hub:
    """The hub, started; what it opened is closed with ``stack``, in reverse."""
    geography = Geography(stores.roster)
    await geography.start()
    stack.push_async_callback(geography.close)
    directory = Directory(database, geography, time.time)
    await directory.start()
    changes = Changes(directory, time.time)
    registry = Registry(database, directory, changes, time.time, edge.settings.fleet.beat_every_s)
    reports = Reports(database, time.time)
    reports.handle(KeyAnnounced, takes_keys(directory))
    reports.start()
    stack.push_async_callback(reports.close)
    lines = Lines(time.time, edge.settings.fleet.beat_every_s)
    directory.listen(lines.record_changed)
    diary = DiaryKeeper(database, directory, time.time)
    diary.serve(reports)
    diary.start()
    stack.push_async_callback(diary.close)
    history = History(database, directory, time.time)
    history.start()
    stack.push_async_callback(history.close)
    registry.listen_status(diary)
    for listener in (registry, history, diary):
        lines.listen(listener)
    identities = Identities(directory, lines, time.time)
    identities.diary = diary
    identities.start()
    stack.push_async_callback(identities.close)
    enrolments = Enrolments(directory, time.time, edge.monotonic)
    enrolments.feed = changes
    await enrolments.start()
    stack.push_async_callback(enrolments.close)
    commands = Commands(database, directory, lines, changes, time.time)
    commands.serve(reports)
    lines.listen(commands)
    await commands.start()
    stack.push_async_callback(commands.close)
    settings = edge.settings
    intake = Intake(
        database,
        settings.evidence_folder,
        wanted_by(commands),
        time.time,
        settings.fleet.keep_free_bytes,
    )
    await intake.start()
    stack.push_async_callback(intake.close)
    audit = Audit(database, changes, time.time)
    await audit.start()
    stack.push_async_callback(audit.close)
    staff = StaffStore(database)
    beat_every_s = edge.settings.fleet.beat_every_s
    incidents = Incidents(database, directory, geography, changes, time.time, beat_every_s=beat_every_s)
    mail = MailChannel(edge.settings.fleet.mail)
    notices = NoticeBook(database, time.time, edge.settings.fleet.private_webhooks)
    notifier = Notifier(
        database,
        notices,
        {"email": mail, "webhook": WebhookChannel(edge.settings.fleet.private_webhooks)},
        time.time,
        origin=next(iter(edge.settings.public_origins), ""),
    )
    notifier.watch(incidents, registry)
    await notifier.start()
    stack.push_async_callback(notifier.close)
    incidents.notices = notifier
    await incidents.start()
    stack.push_async_callback(incidents.close)
    registry.listen(incidents)
    registry.marks = incidents
    kept = edge.settings.fleet
    bundles = Bundles(
        database,
        Repository(edge.settings.bundles_folder),
        time.time,
        kept.max_bundle_bytes,
        kept.keep_free_bytes,
    )
    await bundles.start()
    stack.push_async_callback(bundles.close)
    rollouts = Rollouts(database, directory, bundles, lines, changes, time.time)
    lines.listen(rollouts)
    await rollouts.start(reports)
    stack.push_async_callback(rollouts.close)
    hub = Hub(
        database=database,
        geography=geography,
        directory=directory,
        changes=changes,
        history=history,
        diary=diary,
        registry=registry,
        reports=reports,
        switchboard=lines,
        identities=identities,
        enrolments=enrolments,
        commands=commands,
        bulks=Bulks(database, directory, commands, registry.look_at, time.time),
        evidence_intake=intake,
        evidence=EvidenceRoom(database, directory, intake, changes, time.time),
        audit=audit,
        staff=staff,
        grants=Grants(database, staff, stores.accounts, geography, time.time),
        incidents=incidents,
        notifier=notifier,
        bundles=bundles,
        rollouts=rollouts,
    )
    tokens = DeviceTokens(await stores.secrets.get_or_make("device-token-key", new_key), time.time)
    door = Door(edge, hub, lines, tokens, time.time)
    door.claims = commands
    door.diary = diary
    door.start()
    stack.push_async_callback(door.close)
    app.state.hub = hub
    app.state.door = door
    app.state.targets = Targets(hub)
    app.state.staff_logins = StaffLogins(Logins(edge, stores), hub.staff)
    live = Live(hub, app.state.staff_logins)
    live.start()
    stack.push_async_callback(live.close)
    app.state.live = live
    edge.metrics.registry.register(FleetFigures(hub, live.__len__, edge.settings.fleet.metrics_devices))
    # Last: whoever is told judgements or statuses has registered by now.
    await registry.start()
    stack.push_async_callback(registry.close)
    return hub


@asynccontextmanager
async def opened_bundles(database_url: str, folder: Path, keys: Path | None = None) -> AsyncIterator[Bundles]:
    """The bundles alone, for the command line. A server may have the same database and folder open."""
    database = await open_database(database_url)
    try:
        bundles = Bundles(database, Repository(folder, keys), time.time)
        await bundles.start(renew=False)
        yield bundles
    finally:
        await database.close()
