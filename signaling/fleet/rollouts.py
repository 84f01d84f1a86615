"""Rollouts by REST: plan, approve, watch, stop, undo."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec.structs import asdict

from kiosk_hub.fleet.experience import Counts
from kiosk_hub.fleet.ids import BundleId, RolloutId
from kiosk_hub.fleet.permissions import Action
from kiosk_hub.fleet.rollout_rules import TRANSITIONS, Approve, Pause, Resume, StartRing, Stop, Submit
from kiosk_hub.fleet.rollouts import STEPS, Member, MemberStep, Rollout, RolloutPlan, RolloutState
from kiosk_hub.services.rollout_book import Book
from signaling.fleet.operation import Asked, Operation, Query
from signaling.wire.fleet import rollouts as wire

PAGE: Final = 50
PAGE_MAX: Final = 200
_URGENT: Final[tuple[MemberStep, ...]] = (
    "failed",
    "returned",
    "installing",
    "downloaded",
    "downloading",
    "offered",
    "waiting",
    "left-out",
    "installed",
)
URGENCY: Final = {step: place for place, step in enumerate(_URGENT)}
_S: Final = RolloutState


def row_of(asked: Asked, book: Book) -> wire.RolloutRow:
    """One rollout as this person sees it."""
    rollout = book.rollout
    return wire.RolloutRow(
        id=rollout.id,
        title=rollout.plan.title,
        bundle=rollout.plan.bundle,
        kind=rollout.kind,
        version=rollout.version,
        state=rollout.state,
        reason=rollout.reason,
        planners=rollout.planners,
        planned_at=rollout.planned_at,
        approved_by=rollout.approved_by,
        approved_at=rollout.approved_at,
        stopped_by=rollout.stopped_by,
        ended_at=rollout.ended_at,
        returns=rollout.returns,
        rings=tuple(_ring(book, place) for place in range(len(rollout.rings))),
        changes=rollout.changes,
        may=_may(asked, book),
    )


def _ring(book: Book, place: int) -> wire.RingRow:
    rollout, tally = book.rollout, book.tallies[place]
    progress, plan = rollout.rings[place], rollout.plan
    counts = {step: tally[step] for step in STEPS}
    if progress.started_at is not None and rollout.state in (_S.RUNNING, _S.FINISHED):
        counts["offered"] += counts["waiting"]
        counts["waiting"] = 0
    following = rollout.rings[place + 1].started_at if place + 1 < len(rollout.rings) else rollout.ended_at
    soaks = rollout.state is _S.RUNNING and progress.reached_at is not None and following is None
    return wire.RingRow(
        name=plan.rings[place].name,
        size=sum(tally.values()),
        counts=wire.StepCounts(**{step.replace("-", "_"): number for step, number in counts.items()}),
        started_at=progress.started_at,
        reached_at=progress.reached_at,
        soak_ends_at=progress.reached_at + plan.gate.soak_s if soaks and progress.reached_at else None,
    )


def _may(asked: Asked, book: Book) -> tuple[str, ...]:
    """What this person could do with it now: the names of the operations."""
    rollout, grant = book.rollout, asked.staff.grant
    allowed = TRANSITIONS[rollout.state]
    plans, stops = grant.allows(Action.PLAN_ROLLOUT), grant.allows(Action.STOP_ROLLOUT)
    approves = grant.allows(Action.APPROVE_ROLLOUT) and asked.staff.account not in rollout.planners
    under_way = any(
        tally["installed"] or tally["installing"] or tally["downloaded"] or tally["downloading"]
        for tally in book.tallies
    )
    found = {
        "change": plans and rollout.state is _S.DRAFT,
        "submit": plans and Submit in allowed,
        "approve": approves and Approve in allowed,
        "pause": stops and Pause in allowed,
        "resume": plans and Resume in allowed,
        "stop": stops and Stop in allowed,
        "push": plans and StartRing in allowed and rollout.rings[-1].started_at is None,
        "retry": plans
        and rollout.state in (_S.RUNNING, _S.FINISHED)
        and any(tally["failed"] or tally["returned"] for tally in book.tallies),
        "return": stops and under_way and rollout.returns is None and rollout.state is not _S.DRAFT,
    }
    return tuple(name for name, may in found.items() if may)


def _book(asked: Asked) -> Book:
    return asked.hub.rollouts.shelf.book(RolloutId(asked.path("rollout")))


async def list_rollouts(asked: Asked) -> wire.RolloutList:
    return wire.RolloutList(
        tuple(row_of(asked, book) for book in asked.hub.rollouts.shelf.books()[:PAGE_MAX])
    )


async def see_rollout(asked: Asked) -> wire.RolloutDetail:
    book = _book(asked)
    codes = Counter(member.code for member in book.members.values() if member.step in ("failed", "returned"))
    fared = book.fared
    return wire.RolloutDetail(
        row=row_of(asked, book),
        plan=book.rollout.plan,
        experience=wire.Experience(
            _counts(fared.before), _counts(fared.after), _counts(fared.others), book.findings
        ),
        codes=tuple(wire.CodeCount(code, count) for code, count in codes.most_common(20)),
    )


def _counts(counts: Counts) -> wire.ExperienceCounts:
    return wire.ExperienceCounts(**asdict(counts))


async def list_members(asked: Asked) -> wire.MembersPage:
    """Only devices of the person's own districts."""
    book, directory = _book(asked), asked.hub.directory
    ring, step = asked.number("ring", -1), asked.text("step")
    found: list[Member] = []
    for member in book.members.values():
        device = directory.find(member.device)
        if device is None or not asked.staff.grant.covers(directory.district_of(device)):
            continue
        if ring in (-1, member.ring) and step in ("", member.step):
            found.append(member)
    found.sort(key=lambda member: (URGENCY[member.step], -member.at, member.device))
    start, most = asked.number("offset", 0), asked.number("limit", PAGE)
    return wire.MembersPage(len(found), tuple(_member(asked, one) for one in found[start : start + most]))


def _member(asked: Asked, member: Member) -> wire.MemberRow:
    device = asked.hub.directory.get(member.device)
    return wire.MemberRow(
        device=member.device,
        name=device.name,
        unit=device.place.unit,
        ring=member.ring,
        step=member.step,
        at=member.at,
        bytes_done=member.bytes_done,
        code=member.code,
        text=member.text,
        attempt=member.attempt,
    )


async def preview(asked: Asked) -> wire.RingsPreview:
    rings, left_out = asked.hub.rollouts.preview(await asked.body(RolloutPlan), asked.staff)
    return wire.RingsPreview(tuple(rings), left_out)


async def plan(asked: Asked) -> wire.RolloutRow:
    return _row(asked, await asked.hub.rollouts.plan(await asked.body(RolloutPlan), asked.staff))


async def change(asked: Asked) -> wire.RolloutRow:
    id_, body = RolloutId(asked.path("rollout")), await asked.body(RolloutPlan)
    return _row(asked, await asked.hub.rollouts.replan(id_, body, asked.staff))


async def stop(asked: Asked) -> wire.RolloutRow:
    why = (await asked.body(wire.AskStop)).why
    return _row(asked, await asked.hub.rollouts.stop(RolloutId(asked.path("rollout")), why, asked.staff))


async def push(asked: Asked) -> wire.RolloutRow:
    ring = (await asked.body(wire.AskRing)).ring
    return _row(asked, await asked.hub.rollouts.push(RolloutId(asked.path("rollout")), ring, asked.staff))


async def retry(asked: Asked) -> wire.Retried:
    devices = (await asked.body(wire.AskRetry)).devices
    return wire.Retried(
        await asked.hub.rollouts.retry(RolloutId(asked.path("rollout")), devices, asked.staff)
    )


async def go_back(asked: Asked) -> wire.RolloutRow:
    bundle = (await asked.body(wire.AskReturn)).bundle
    back_to = BundleId(bundle) if bundle is not None else None
    rollout = RolloutId(asked.path("rollout"))
    return _row(asked, await asked.hub.rollouts.go_back(rollout, back_to, asked.staff))


def _row(asked: Asked, rollout: Rollout) -> wire.RolloutRow:
    return row_of(asked, asked.hub.rollouts.shelf.book(rollout.id))


def _deed(name: str) -> Callable[[Asked], Awaitable[wire.RolloutRow]]:
    async def do(asked: Asked) -> wire.RolloutRow:
        act = getattr(asked.hub.rollouts, name)
        return _row(asked, await act(RolloutId(asked.path("rollout")), asked.staff))

    return do


PLAN_REFUSALS: Final = ("invalid", "unknown-bundle", "not-signed")
STATE_REFUSALS: Final = ("unknown-rollout", "wrong-state")

ROLLOUTS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path="/rollouts",
        action=Action.SEE,
        summary="List rollouts, the newest first",
        call=list_rollouts,
        answer=wire.RolloutList,
    ),
    Operation(
        method="POST",
        path="/rollouts",
        action=Action.PLAN_ROLLOUT,
        summary="Plan a rollout; it is a draft",
        call=plan,
        body=RolloutPlan,
        answer=wire.RolloutRow,
        status=201,
        refusals=PLAN_REFUSALS,
    ),
    Operation(
        method="POST",
        path="/rollout-preview",
        action=Action.PLAN_ROLLOUT,
        summary="How many devices each ring of a plan would have",
        call=preview,
        body=RolloutPlan,
        answer=wire.RingsPreview,
        refusals=PLAN_REFUSALS,
    ),
    Operation(
        method="GET",
        path="/rollouts/{rollout}",
        action=Action.SEE,
        summary="One rollout with its plan and figures",
        call=see_rollout,
        answer=wire.RolloutDetail,
        refusals=("unknown-rollout",),
    ),
    Operation(
        method="PUT",
        path="/rollouts/{rollout}",
        action=Action.PLAN_ROLLOUT,
        summary="Change a draft",
        call=change,
        body=RolloutPlan,
        answer=wire.RolloutRow,
        refusals=(*PLAN_REFUSALS, *STATE_REFUSALS),
    ),
    Operation(
        method="GET",
        path="/rollouts/{rollout}/devices",
        action=Action.SEE,
        summary="Its devices, those that need eyes first",
        call=list_members,
        answer=wire.MembersPage,
        query=(
            Query("ring", "only of this ring, counted from 0", int, 0, 9),
            Query("step", "only at this step", choices=STEPS),
            Query("offset", "so many are left out at the beginning", int, 0, 1_000_000),
            Query("limit", "at most so many", int, 1, PAGE_MAX),
        ),
        refusals=("unknown-rollout",),
    ),
    *(
        Operation(
            method="POST",
            path=f"/rollouts/{{rollout}}/{name}",
            action=action,
            summary=summary,
            call=_deed(name),
            answer=wire.RolloutRow,
            refusals=(*STATE_REFUSALS, *more),
        )
        for name, action, summary, more in (
            (
                "submit",
                Action.PLAN_ROLLOUT,
                "Deal out the rings and ask for approval",
                PLAN_REFUSALS,
            ),
            (
                "approve",
                Action.APPROVE_ROLLOUT,
                "Start it, as somebody who had no hand in its plan",
                ("other-rollout", "not-signed", "unknown-bundle"),
            ),
            ("pause", Action.STOP_ROLLOUT, "Offer nothing more for now", ()),
            ("resume", Action.PLAN_ROLLOUT, "Go on where it was", ()),
        )
    ),
    Operation(
        method="POST",
        path="/rollouts/{rollout}/stop",
        action=Action.STOP_ROLLOUT,
        summary="Stop it for good; what is installed stays",
        call=stop,
        body=wire.AskStop,
        answer=wire.RolloutRow,
        refusals=STATE_REFUSALS,
    ),
    Operation(
        method="POST",
        path="/rollouts/{rollout}/push",
        action=Action.PLAN_ROLLOUT,
        summary="Start the next ring without waiting",
        call=push,
        body=wire.AskRing,
        answer=wire.RolloutRow,
        refusals=STATE_REFUSALS,
    ),
    Operation(
        method="POST",
        path="/rollouts/{rollout}/retry",
        action=Action.PLAN_ROLLOUT,
        summary="Offer it once more where it failed",
        call=retry,
        body=wire.AskRetry,
        answer=wire.Retried,
        refusals=STATE_REFUSALS,
    ),
    Operation(
        method="POST",
        path="/rollouts/{rollout}/return",
        action=Action.STOP_ROLLOUT,
        summary="Stop it and give the last good bundle to whoever has it",
        call=go_back,
        body=wire.AskReturn,
        answer=wire.RolloutRow,
        status=201,
        refusals=(*STATE_REFUSALS, *PLAN_REFUSALS, "nothing-to-return-to"),
    ),
)
