"""Buckets, the log-in guard, the lobby, origins: decided on given times, without a clock."""

import pytest
from hypothesis import given
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


def test_log_ins_slow_down_and_success_forgives() -> None:
    guard = LoginGuard()
    for _ in range(5):
        assert guard.wait_s(["name"], 0) == 0
        guard.failed(["name"], 0)
    first = guard.wait_s(["name"], 0)
    assert first == 12
    guard.failed(["name"], 12)
    assert guard.wait_s(["name"], 12) == 24
    for at in range(100, 110):
        guard.failed(["name"], at)
    assert guard.wait_s(["name"], 110) <= limits.LONGEST_LOGIN_WAIT_S
    guard.succeeded(["name"])
    assert guard.wait_s(["name"], 110) == 0


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


@given(st.text(max_size=60) | st.text("http:/[].@#?", max_size=30), st.text(max_size=30))
def test_no_text_is_another_pages_way_in(origin: str, host: str) -> None:
    allowed = Origins(["https://meet.example"]).allow(origin, host)

    assert not allowed or origin.lower().endswith(host.lower())
