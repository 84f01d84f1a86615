"""Buckets, the log-in guard, the lobby, origins: decided on given times, without a clock."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signaling import limits
from signaling.limits import Bucket, Buckets, Lobby, LoginGuard
from signaling.origins import Origins


def test_a_bucket_gives_a_burst_and_then_its_rate() -> None:
    bucket = Bucket(per_s=2, burst=3, now=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5) for _ in range(2)] == [True, False]
    assert [bucket.take(100) for _ in range(4)] == [True, True, True, False]


def test_full_buckets_are_forgotten_before_anybody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KEYS", 2)
    buckets = Buckets(per_s=1, burst=1)
    assert buckets.take("a", 0)
    assert buckets.take("b", 0)
    assert not buckets.take("c", 0)
    assert buckets.take("c", 5)


@given(st.lists(st.floats(-1e6, 1e6), max_size=40))
def test_a_clock_that_goes_back_takes_nothing_from_a_bucket(at: list[float]) -> None:
    bucket = Bucket(per_s=1, burst=50, now=0)
    assert all(bucket.take(now) for now in at)


def test_log_ins_slow_down_and_success_forgives() -> None:
    guard = LoginGuard()
    for _ in range(5):
        assert guard.wait_s("chair", "home", 0) == 0
        guard.failed("chair", "home", 0)
    assert guard.wait_s("chair", "home", 0) == 12
    guard.failed("chair", "home", 12)
    assert guard.wait_s("chair", "home", 12) == 24
    for at in range(100, 110):
        guard.failed("chair", "home", at)
    assert 0 < guard.wait_s("chair", "home", 110) <= limits.LONGEST_LOGIN_WAIT_S
    guard.succeeded("chair", "home")
    assert guard.wait_s("chair", "home", 110) == 0


def test_nobody_locks_a_named_account_out_from_elsewhere() -> None:
    guard, locked_s = LoginGuard(), 0.0
    for tenth in range(36_000):  # an hour of trying as fast as it may
        now = tenth / 10
        if guard.wait_s("chair", "attacker", now) == 0:
            guard.failed("chair", "attacker", now)
        locked_s += 0.1 if guard.wait_s("chair", "city hall", now) > 0 else 0
    assert locked_s == 0


def test_a_name_guessed_from_everywhere_is_slowed_and_never_for_long() -> None:
    guard = LoginGuard()
    for n in range(500):
        guard.failed("chair", f"bot {n}", n / 100)
    assert 0 < guard.wait_s("chair", "city hall", 5) <= limits.LONGEST_LOGIN_WAIT_OF_A_NAME_S


def test_an_address_that_tries_many_names_waits_unless_it_is_many_peoples() -> None:
    guard = LoginGuard()
    for n in range(limits.LOGINS_FREE_OF_AN_ADDRESS):
        guard.failed(f"name {n}", "attacker", 0)
    assert guard.wait_s("another", "attacker", 0) > 0
    assert guard.wait_s("another", "attacker", 0, is_known=True) == 0


def test_one_who_logs_in_again_and_again_never_waits() -> None:
    guard = LoginGuard()
    for n in range(200):
        assert guard.wait_s("chair", "home", n) == 0
        guard.failed("chair", "home", n)
        guard.succeeded("chair", "home")


def test_success_forgives_only_its_own_name_from_its_own_address() -> None:
    guard = LoginGuard()
    for _ in range(6):
        guard.failed("chair", "attacker", 0)
    guard.failed("chair", "home", 0)
    guard.succeeded("chair", "home")
    assert guard.wait_s("chair", "attacker", 0) > 0


def test_what_the_guard_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KEYS", 10)
    guard = LoginGuard()
    for n in range(1_000):
        guard.failed(f"name {n}", f"address {n}", 0)
    assert len(guard) <= 30


def test_the_lobby_is_bounded_by_address_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNAUTHENTICATED_PER_ADDRESS", 2)
    monkeypatch.setattr(limits, "UNAUTHENTICATED_IN_ALL", 5)
    lobby = Lobby(["10.0.0.0/8"])
    first = lobby.enter("192.0.2.1")
    assert first is not None
    assert lobby.enter("192.0.2.1") is not None
    assert lobby.enter("192.0.2.1") is None
    assert all(lobby.enter("10.1.2.3") for _ in range(3))
    assert lobby.enter("192.0.2.9") is None
    first()
    first()
    assert len(lobby) == 4
    assert lobby.enter("192.0.2.1") is not None


@pytest.mark.parametrize(
    ("public", "origin", "host", "allowed"),
    [
        ((), None, "h:1", True),
        ((), "http://h:1", "h:1", True),
        ((), "https://H:1", "h:1", True),
        ((), "http://h:2", "h:1", False),
        ((), "http://h:1.evil.example", "h:1", False),
        ((), "http://evil.example", "h:1", False),
        ((), "null", "h:1", False),
        ((), "file://", "h:1", False),
        ((), "", "", False),
        (("https://meet.example",), "https://meet.example", "backend:8080", True),
        (("https://meet.example",), "http://meet.example", "meet.example", False),
        (("https://meet.example",), "http://rebound.example", "rebound.example", False),
        (("https://meet.example",), "http://localhost:8080", "localhost:8080", True),
        (("https://meet.example",), "http://[::1]:8080", "[::1]:8080", True),
    ],
)
def test_origins(public: tuple[str, ...], origin: str | None, host: str, allowed: bool) -> None:
    assert Origins(public).allow(origin, host) is allowed


@example("http://[", "h")
@example("http://[x]y", "[x]y")
@given(st.text(max_size=60) | st.text("http:/[].@#?", max_size=30), st.text(max_size=30))
def test_no_text_is_another_pages_way_in(origin: str, host: str) -> None:
    allowed = Origins(["https://meet.example"]).allow(origin, host)

    assert not allowed or origin.lower().endswith(host.lower())
