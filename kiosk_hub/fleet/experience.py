"""Have residents fared worse since the update? Counts before and after, and how sure one may be.

Three shares are looked at: sessions abandoned, scans failed, help calls per session (at most one counted for
each). Two comparisons are made of each: the updated devices after against the same devices before, and
against those not yet updated in the same days. The first alone would stop a rollout because of a hot day or a
dead portal, which hits everybody; the second alone because the first ring happens to stand in busier places.
So where both can be made, both must be worse; where only one can be made, it decides.

"Worse" means: the lower end of the interval of the difference lies above ``tolerated_rise``. The interval is
Newcombe's for two independent proportions, from Wilson's score intervals (R. G. Newcombe, Statistics in
Medicine 17 (1998) 873–890, method 10), which holds for small counts and shares near 0, where the plain
normal interval does not. With ``z`` = 3.09 one look errs in one of a thousand; since a rollout is looked at
again and again, the least rise that counts and the least counts keep chance from adding up.
"""

from math import sqrt
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from kiosk_hub.fleet.reasons import Reason

BEFORE_S: Final = 14 * 86_400
"""How far the time before goes back: two whole weeks, so that each weekday counts as often."""

Measure = Literal["abandoned", "scans-failed", "help-calls"]
MEASURES: Final[tuple[Measure, ...]] = ("abandoned", "scans-failed", "help-calls")


class Counts(Struct, frozen=True):
    """Sums over devices and hours."""

    begun: int = 0
    abandoned: int = 0
    scans: int = 0
    scans_failed: int = 0
    help_calls: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.begun + other.begun,
            self.abandoned + other.abandoned,
            self.scans + other.scans,
            self.scans_failed + other.scans_failed,
            self.help_calls + other.help_calls,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            self.begun - other.begun,
            self.abandoned - other.abandoned,
            self.scans - other.scans,
            self.scans_failed - other.scans_failed,
            self.help_calls - other.help_calls,
        )

    def of(self, measure: Measure) -> tuple[int, int]:
        """Bad ones, and of how many. Never more bad ones than there are."""
        match measure:
            case "abandoned":
                return min(self.abandoned, self.begun), self.begun
            case "scans-failed":
                return min(self.scans_failed, self.scans), self.scans
            case "help-calls":
                return min(self.help_calls, self.begun), self.begun


class ExperienceGate(Struct, frozen=True):
    """From when on a worsening stops a rollout."""

    tolerated_rise: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.03  # of the share, surely exceeded
    least: Annotated[int, Meta(ge=10, le=100_000)] = 50  # sessions (scans) on each side
    z: Annotated[float, Meta(ge=1.0, le=6.0)] = 3.09  # how sure: quantile of the normal distribution


class Comparison(Struct, frozen=True):
    """One share, now and as it should be. ``rise_at_least`` is the lower end of the interval."""

    bad: int
    of: int
    bad_reference: int
    of_reference: int
    rise: float
    rise_at_least: float
    worse: bool


class Effect(Struct, frozen=True):
    """What is known of one share. None: too few counts for that comparison."""

    measure: Measure
    own: Comparison | None  # against the same devices before
    others: Comparison | None  # against those not yet updated
    worse: bool


class Fared(Struct, frozen=True):
    """Counts of the updated devices, before and after, and of those not yet updated since the first was."""

    before: Counts = Counts()
    after: Counts = Counts()
    others: Counts = Counts()


def wilson(bad: int, of: int, z: float) -> tuple[float, float]:
    """Wilson's score interval of a share; ``of`` > 0."""
    share = bad / of
    middle = share + z * z / (2 * of)
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    whole = 1 + z * z / of
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def rise_at_least(bad: int, of: int, bad_reference: int, of_reference: int, z: float) -> float:
    """The lower end of Newcombe's interval of (share now − share of the reference)."""
    now, reference = bad / of, bad_reference / of_reference
    low, _ = wilson(bad, of, z)
    _, high = wilson(bad_reference, of_reference, z)
    return now - reference - sqrt((now - low) ** 2 + (high - reference) ** 2)


def compare(now: tuple[int, int], reference: tuple[int, int], gate: ExperienceGate) -> Comparison | None:
    """None: one of the two has fewer than ``gate.least``."""
    bad, of = now
    bad_reference, of_reference = reference
    if of < gate.least or of_reference < gate.least:
        return None
    least = rise_at_least(bad, of, bad_reference, of_reference, gate.z)
    rise = bad / of - bad_reference / of_reference
    return Comparison(bad, of, bad_reference, of_reference, rise, least, least > gate.tolerated_rise)


def judge(fared: Fared, gate: ExperienceGate) -> tuple[Effect, ...]:
    """All three shares, in the order of ``MEASURES``."""
    found = []
    for measure in MEASURES:
        own = compare(fared.after.of(measure), fared.before.of(measure), gate)
        others = compare(fared.after.of(measure), fared.others.of(measure), gate)
        made = [comparison for comparison in (own, others) if comparison is not None]
        worse = bool(made) and all(comparison.worse for comparison in made)
        found.append(Effect(measure, own, others, worse))
    return tuple(found)


_NAMES: Final[dict[Measure, tuple[str, str]]] = {
    "abandoned": ("tỷ lệ phiên bị bỏ dở", "the share of abandoned sessions"),
    "scans-failed": ("tỷ lệ quét không thành công", "the share of failed scans"),
    "help-calls": ("tỷ lệ phiên phải gọi cán bộ", "the share of sessions with a help call"),
}


def _percent_vi(share: float) -> str:
    return f"{share * 100:.1f}".replace(".", ",") + " %"


def _percent_en(share: float) -> str:
    return f"{share * 100:.1f} %"


def sentence(finding: Effect) -> Reason:
    """Why the rollout was stopped, for a finding that is ``worse``."""
    comparison = finding.own if finding.own is not None else finding.others
    if comparison is None:
        raise ValueError("nothing was compared")
    then, now = comparison.bad_reference / comparison.of_reference, comparison.bad / comparison.of
    name_vi, name_en = _NAMES[finding.measure]
    against_vi = "trước khi cập nhật" if finding.own is not None else "ở thiết bị chưa cập nhật"
    against_en = "before the update" if finding.own is not None else "on devices not yet updated"
    return Reason(
        f"experience-{finding.measure}",
        f"Tự dừng: trên thiết bị đã cập nhật, {name_vi} là {_percent_vi(now)}"
        f" ({comparison.bad}/{comparison.of}), {against_vi} là {_percent_vi(then)}"
        f" ({comparison.bad_reference}/{comparison.of_reference});"
        f" mức tăng chắc chắn từ {_percent_vi(comparison.rise_at_least)} trở lên.",
        f"Stopped by itself: on updated devices {name_en} is {_percent_en(now)}"
        f" ({comparison.bad}/{comparison.of}), {against_en} it was {_percent_en(then)}"
        f" ({comparison.bad_reference}/{comparison.of_reference});"
        f" a rise of at least {_percent_en(comparison.rise_at_least)} is certain.",
    )
