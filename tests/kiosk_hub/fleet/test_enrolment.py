"""The rules by which a device is let in, kept out, and noticed as a copy."""

import itertools
import unicodedata
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kiosk_hub.fleet import clones, codes, enrolment, lifecycle
from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.enrolment import ENDED, TRANSITIONS, Binding, Enrolment, WrongFingerprint
from kiosk_hub.fleet.errors import BadSignature, Quarantined, Replayed, Retired
from kiosk_hub.fleet.ids import DeviceId, EnrolmentId, Fingerprint
from kiosk_hub.fleet.lifecycle import Step
from kiosk_hub.fleet.news import DeviceTime
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.preauthorisation import fingerprint_in, parse
from kiosk_hub.fleet.values import DeviceKind, DeviceState, EnrolmentState
from room_manager.errors import DomainError, Invalid, WrongState
from room_manager.ids import SiteId
from room_manager.roster.folding import fold
from signaling.wire.kiosk.fingerprint import WORDS, fingerprint_of, words_of
from tests.helpers.fleet import device

KEY: Final = b"k" * 32
PRINT: Final = Fingerprint(fingerprint_of(KEY))
BINDING: Final = Binding("Ki-ốt", DeviceKind.KIOSK, Place(SiteId("00001")))
T0: Final = 1_000.0


def waiting(at: float = T0) -> Enrolment:
    return Enrolment(
        id=EnrolmentId("e"),
        state=EnrolmentState.WAITING,
        public_key=KEY,
        fingerprint=PRINT,
        kind=DeviceKind.KIOSK,
        hardware="box",
        agent="1",
        address="192.0.2.1",
        asked_at=at,
        expires_at=at + enrolment.WAITS_S,
    )


def at(counter: int, boot: str = "boot-one") -> DeviceTime:
    return DeviceTime(boot, counter, 0.0, 0.0)


# --- words ---


def test_there_are_1024_words_and_no_two_are_alike_without_their_marks() -> None:
    assert len(WORDS) == 1024
    assert len({fold(word) for word in WORDS}) == 1024
    assert all(unicodedata.is_normalized("NFC", word) for word in WORDS)
    parts = {part for word in WORDS for part in word.split()}
    assert len(parts) == 64
    assert len({fold(part) for part in parts}) == 64


@given(st.binary(min_size=32, max_size=32))
def test_four_words_are_the_first_forty_bits(key: bytes) -> None:
    fingerprint = fingerprint_of(key)
    bits = 0
    for word in words_of(fingerprint):
        bits = bits << 10 | WORDS.index(word)
    assert bits == int(fingerprint[:10], 16)


# --- codes ---


def test_a_code_is_read_however_it_is_typed() -> None:
    assert codes.normalised(" ac3-4 7x") == "AC347X"
    for slip in ("", "AC347", "AC347XX", "AC347O", "AC347Ạ"):
        with pytest.raises(Invalid):
            codes.normalised(slip)


def test_five_wrong_codes_lock_the_account_and_nobody_else() -> None:
    wrong = codes.WrongCodes()
    for _ in range(4):
        assert wrong.wrong("an", 0.0) == ()
    wrong.check("an", 0.0)

    assert wrong.wrong("an", 1.0) == (codes.ONE_ACCOUNT,)

    with pytest.raises(codes.TooManyWrongCodes, match="your account, for 15 more minutes: 5 wrong codes"):
        wrong.check("an", 1.0)
    wrong.check("bình", 1.0)
    wrong.check("an", 1.0 + codes.ONE_ACCOUNT.lasts_s)


def test_wrong_codes_that_are_old_do_not_count() -> None:
    wrong = codes.WrongCodes()
    assert not any(wrong.wrong("an", n * 200.0) for n in range(50))


def test_many_accounts_together_lock_everybody() -> None:
    wrong = codes.WrongCodes()
    locked = [wrong.wrong(f"account-{n}", float(n)) for n in range(30)]
    assert locked[-1] == (codes.EVERYBODY,)
    with pytest.raises(codes.TooManyWrongCodes, match="everybody"):
        wrong.check("somebody", 30.0)


# --- enrolment ---


def test_a_device_is_bound_and_comes_into_being_when_it_collects() -> None:
    bound = enrolment.bind(waiting(), BINDING, PRINT, "an", T0 + 1)
    collected, made = enrolment.collect(bound, DeviceId("d"), T0 + 2)
    assert collected.state is EnrolmentState.COLLECTED
    assert (made.state, made.fingerprint, made.name) == (DeviceState.ACTIVE, PRINT, "Ki-ốt")
    with pytest.raises(WrongState):
        enrolment.collect(collected, DeviceId("other"), T0 + 3)


def test_an_approval_that_nobody_collects_leaves_nothing() -> None:
    bound = enrolment.bind(waiting(), BINDING, PRINT, "an", T0)
    late = T0 + enrolment.COLLECT_WITHIN_S
    with pytest.raises(WrongState):
        enrolment.collect(bound, DeviceId("d"), late)
    expired = enrolment.as_of(bound, late)
    assert expired is not None
    assert expired.state is EnrolmentState.EXPIRED
    assert enrolment.as_of(bound, late + enrolment.KNOWN_AFTER_S) is None


def test_a_code_that_is_ten_minutes_old_binds_nothing() -> None:
    with pytest.raises(WrongState):
        enrolment.bind(waiting(), BINDING, PRINT, "an", T0 + enrolment.WAITS_S)


def test_three_wrong_fingerprints_lock_the_enrolment() -> None:
    one = waiting()
    for _ in range(3):
        with pytest.raises(WrongFingerprint):
            enrolment.bind(one, BINDING, Fingerprint("0" * 64), "an", T0)
        one = enrolment.mistaken(one, T0)
    assert one.state is EnrolmentState.LOCKED
    with pytest.raises(WrongState):
        enrolment.bind(one, BINDING, PRINT, "an", T0)


def test_a_look_is_good_once() -> None:
    one = enrolment.looked(waiting(), 5)
    for stale in (5, 4, 0):
        with pytest.raises(Replayed):
            enrolment.looked(one, stale)


class EnrolmentWalk(RuleBasedStateMachine):
    """Anything may happen to an enrolment in any order; a refusal is fine, anything else is a bug."""

    @initialize()
    def begin(self) -> None:
        self.now = T0
        self.one = waiting()
        self.made: list[Device] = []
        self.states = [self.one.state]

    def do(self, change: Enrolment | None) -> None:
        if change is not None and change.state is not self.one.state:
            self.states.append(change.state)
        if change is not None:
            self.one = change

    @rule(wait_s=st.sampled_from([0.0, 1.0, 599.0, 3_000.0]))
    def wait(self, wait_s: float) -> None:
        self.now += wait_s
        self.do(enrolment.as_of(self.one, self.now))

    @rule(right=st.booleans())
    def bind(self, right: bool) -> None:
        seen = PRINT if right else Fingerprint("0" * 64)
        try:
            self.do(enrolment.bind(self.one, BINDING, seen, "an", self.now))
        except WrongFingerprint:
            self.do(enrolment.mistaken(self.one, self.now))
        except DomainError:
            pass

    @rule()
    def refuse(self) -> None:
        try:
            self.do(enrolment.refuse(self.one, "no", "an", self.now))
        except DomainError:
            pass

    @rule()
    def collect(self) -> None:
        try:
            collected, device = enrolment.collect(self.one, DeviceId("d"), self.now)
        except DomainError:
            return
        self.made.append(device)
        self.do(collected)

    @invariant()
    def a_device_comes_of_a_bound_enrolment_and_once(self) -> None:
        assert len(self.made) <= 1
        assert bool(self.made) == (self.one.state is EnrolmentState.COLLECTED)
        if self.made:
            assert EnrolmentState.BOUND in self.states

    @invariant()
    def every_step_is_in_the_table(self) -> None:
        for before, after in zip(self.states, self.states[1:], strict=False):
            assert before not in ENDED
            # Time may end a bound one twice removed; each single step is in the table.
            assert after in TRANSITIONS[before].values()


EnrolmentWalk.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestEnrolmentWalk = EnrolmentWalk.TestCase


# --- copies ---


def test_one_machine_that_reboots_and_returns_is_no_copy() -> None:
    one = device()
    for counter, boot in enumerate(("a", "a", "b", "c", "c", "d"), start=1):
        assert clones.sign_of_a_clone(one, at(counter, boot)) is None
        one = clones.heard(one, at(counter, boot))
    assert one.past_boots == ("a", "b", "c")


def test_a_counter_that_does_not_grow_is_a_copys() -> None:
    one = clones.heard(device(), at(7))
    assert clones.sign_of_a_clone(one, at(7)) == "counter-went-back"
    assert clones.sign_of_a_clone(one, at(3, "other")) == "counter-went-back"


def test_a_boot_that_another_has_followed_is_a_copys() -> None:
    one = clones.heard(clones.heard(device(), at(1, "a")), at(2, "b"))
    assert clones.sign_of_a_clone(one, at(9, "a")) == "boot-returned"


@given(
    turns=st.lists(st.booleans(), min_size=1, max_size=30),
    common=st.integers(0, 5),
    same_kernel=st.booleans(),
)
def test_of_two_machines_with_one_past_the_second_turn_of_either_is_noticed(
    turns: list[bool], common: int, same_kernel: bool
) -> None:
    """Each counts for itself from the common past on; whoever alternates is caught at the latest when the
    first one speaks again, unless each says more than the other ever has, which the boots give away."""
    record = clones.heard(device(), at(common, "before")) if common else device()
    counters = {False: common, True: common}
    boots = {False: "left", True: "left" if same_kernel else "right"}
    spoke: list[bool] = []
    for who in turns:
        counters[who] += 1
        hello = at(counters[who], boots[who])
        if clones.sign_of_a_clone(record, hello) is not None:
            assert len(set(spoke) | {who}) == 2, "one machine alone was taken for two"
            return
        record = clones.heard(record, hello)
        spoke.append(who)
    changes = sum(1 for before, after in itertools.pairwise(spoke) if before != after)
    assert changes <= 1, "they alternated and nobody noticed"


def test_a_release_is_a_new_beginning() -> None:
    one = clones.heard(clones.heard(device(), at(8, "a")), at(9, "b"))
    kept_out = lifecycle.take(one, Step.QUARANTINE, "sao chép")
    released = lifecycle.take(kept_out, Step.RELEASE, "")
    assert clones.sign_of_a_clone(released, at(1, "a")) is None


# --- what becomes of a device ---


def test_quarantine_release_and_retirement() -> None:
    one = device()
    kept_out = lifecycle.take(one, Step.QUARANTINE, "mất cắp")
    with pytest.raises(Quarantined):
        lifecycle.check_let_in(kept_out)
    assert kept_out.state_reason == "mất cắp"
    lifecycle.check_let_in(lifecycle.take(kept_out, Step.RELEASE, "tìm thấy"))
    retired = lifecycle.take(kept_out, Step.RETIRE, "hỏng")
    with pytest.raises(Retired):
        lifecycle.check_let_in(retired)
    for state, step in ((one, Step.RELEASE), (kept_out, Step.QUARANTINE), (retired, Step.RELEASE)):
        with pytest.raises(WrongState):
            lifecycle.take(state, step, "vì sao")
    with pytest.raises(Invalid):
        lifecycle.take(one, Step.QUARANTINE, "  ")


def test_the_first_hello_by_the_new_key_makes_it_the_only_one() -> None:
    old, new = b"o" * 32, b"n" * 32
    one = lifecycle.announce_key(lifecycle.ask_rotation(device(public_key=old)), new)
    by_old = lifecycle.opened_line(one, at(1), old, Fingerprint("old"))
    assert (by_old.public_key, by_old.next_key) == (old, new)
    by_new = lifecycle.opened_line(by_old, at(2), new, Fingerprint("new"))
    assert (by_new.public_key, by_new.next_key, by_new.fingerprint) == (new, None, "new")
    assert not by_new.rotation_asked
    with pytest.raises(BadSignature):
        lifecycle.opened_line(by_new, at(3), old, Fingerprint("old"))


class DeviceWalk(RuleBasedStateMachine):
    """A device, staff, and a copy of the device that may be switched on."""

    @initialize()
    def begin(self) -> None:
        self.record = device(public_key=b"0" * 32)
        self.keys = [b"0" * 32]
        self.counters = [0, 0]
        self.boots = ["boot-left-0", "boot-right-0"]
        self.copied = False
        self.reboots = 0

    @rule(step=st.sampled_from(list(Step)), reason=st.sampled_from(["", "vì sao"]))
    def staff(self, step: Step, reason: str) -> None:
        try:
            self.record = lifecycle.take(self.record, step, reason)
        except DomainError:
            return
        if step is Step.RELEASE and self.copied:
            self.copied = False  # staff have looked: the copy is off

    @rule(who=st.sampled_from([0, 1]))
    def reboot(self, who: int) -> None:
        self.reboots += 1
        self.boots[who] = f"boot-{who}-{self.reboots}"

    @precondition(lambda self: not self.copied)
    @rule()
    def copy(self) -> None:
        self.copied = True
        self.counters[1] = self.counters[0]

    @rule()
    def announce(self) -> None:
        key = bytes([len(self.keys)]) * 32
        try:
            self.record = lifecycle.announce_key(lifecycle.ask_rotation(self.record), key)
        except DomainError:
            return
        self.keys.append(key)

    @rule(who=st.sampled_from([0, 1]), newest=st.booleans())
    def hello(self, who: int, newest: bool) -> None:
        if who == 1 and not self.copied:
            return
        self.counters[who] += 1
        time = at(self.counters[who], self.boots[who])
        key = self.record.next_key if newest and self.record.next_key is not None else self.record.public_key
        try:
            lifecycle.check_let_in(self.record)
        except DomainError:
            return
        if clones.sign_of_a_clone(self.record, time) is not None:
            assert self.copied or self.counters[1], "one machine was taken for two"
            self.record = lifecycle.take(self.record, Step.QUARANTINE, lifecycle.CLONED)
            return
        self.record = lifecycle.opened_line(self.record, time, key, Fingerprint(fingerprint_of(key)))

    @invariant()
    def it_has_one_key_and_at_most_one_coming(self) -> None:
        if not hasattr(self, "record"):
            return
        assert self.record.public_key in self.keys
        assert self.record.next_key is None or self.record.next_key in self.keys
        assert self.record.next_key != self.record.public_key
        if self.record.state is DeviceState.RETIRED:
            assert self.record.next_key is None


DeviceWalk.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestDeviceWalk = DeviceWalk.TestCase


# --- the expected ---

LIST: Final = """fingerprint;name;unit;kind;building;floor
{a};Ki-ốt 1;00001;kiosk;Tòa CT1;1
{b};Điểm cầu;00004;bridge-point;;
"""


def test_a_list_of_expected_devices_is_read() -> None:
    spaced = ":".join("ab" for _ in range(32)).upper()
    rows, faults = parse("\ufeff" + LIST.format(a=spaced, b="c" * 64))
    assert not faults
    assert [row.fingerprint for row in rows] == ["ab" * 32, "c" * 64]
    assert rows[0].binding == Binding("Ki-ốt 1", DeviceKind.KIOSK, Place(SiteId("00001"), "Tòa CT1", "1"))
    assert rows[1].binding.kind is DeviceKind.BRIDGE_POINT


def test_what_is_wrong_with_a_list_is_told_by_line() -> None:
    rows, faults = parse(
        LIST.format(a="12", b="c" * 64) + f"{'c' * 64};x;00001;kiosk;;\n{'d' * 64};;1;robot;;\n"
    )
    assert [(fault.line, fault.code) for fault in faults] == [(2, "invalid"), (4, "twice"), (5, "invalid")]
    assert len(rows) == 2
    assert parse("")[1][0].code == "empty"
    assert parse("name,unit\n")[1][0].text == "the heading lacks: fingerprint"


@settings(max_examples=50)
@given(st.text(max_size=300))
def test_no_list_breaks_the_reader(text: str) -> None:
    parse(text)
    parse("fingerprint,name,unit\n" + text)
    try:
        fingerprint_in(text)
    except Invalid:
        pass
