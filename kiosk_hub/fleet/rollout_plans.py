"""How a rollout begins: as a draft that people wrote, or as the way back from another."""

from msgspec.structs import replace

from kiosk_hub.fleet.bundles import Bundle
from kiosk_hub.fleet.ids import RolloutId
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.rings import Ring, check_rings
from kiosk_hub.fleet.rollouts import Gate, Member, RingProgress, Rollout, RolloutPlan, RolloutState
from room_manager.errors import Invalid


def check_plan(plan: RolloutPlan) -> None:
    """Raise ``Invalid`` unless it can be carried out."""
    check_rings(plan.rings)
    if (plan.transfer.from_minute is None) != (plan.transfer.to_minute is None):
        raise Invalid("transfer: a window has both ends, or neither")


def drafted(id_: RolloutId, plan: RolloutPlan, bundle: Bundle, account: str, now: float) -> Rollout:
    """Nothing happens until it is submitted and approved."""
    return Rollout(
        id=id_,
        plan=plan,
        kind=bundle.kind,
        version=bundle.version,
        state=RolloutState.DRAFT,
        planners=(account,),
        planned_at=now,
        rings=tuple(RingProgress() for _ in plan.rings),
    )


def redrafted(before: Rollout, plan: RolloutPlan, bundle: Bundle, account: str) -> Rollout:
    """Whoever changes a draft has had a hand in it."""
    return replace(
        before,
        plan=plan,
        kind=bundle.kind,
        version=bundle.version,
        planners=tuple(dict.fromkeys((*before.planners, account))),
        rings=tuple(RingProgress() for _ in plan.rings),
        changes=before.changes + 1,
    )


def returning(id_: RolloutId, bad: Rollout, bundle: Bundle, account: str, now: float) -> Rollout:
    """It runs at once, at any hour, in one ring that never stops by itself: what it brings has run there."""
    plan = RolloutPlan(
        bundle.id,
        (Ring(),),
        title=f"↩ {bundle.version}",
        kinds=bad.plan.kinds,
        gate=Gate(advance_share=1.0, soak_s=0.0, failed_share=1.0, experience=None),
        transfer=replace(bad.plan.transfer, from_minute=None, to_minute=None),
    )
    return replace(
        drafted(id_, plan, bundle, account, now),
        state=RolloutState.RUNNING,
        rings=(RingProgress(started_at=now),),
        approved_at=now,
        returns=bad.id,
    )


def has_it(member: Member) -> bool:
    """Has this device the bundle, or may it have it in a moment?"""
    return member.step in ("downloading", "downloaded", "installing", "installed")


def by_hand(name: str, why: str) -> Reason:
    """Why, when a person stopped it."""
    told = f": {why}" if why else ""
    return Reason("by-hand", f"{name} đã dừng{told}.", f"Stopped by {name}{told}.")
