"""The first parser on the way of untrusted bytes: a message, or a refusal with a code."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.wire import codec
from signaling.wire.client import ClientMessage, GiveFloor, Hello, Offer, SetMode
from signaling.wire.codec import CLIENT_TYPES, Refused, decode


def refused(data: bytes | str) -> Refused:
    with pytest.raises(Refused) as caught:
        decode(data)
    return caught.value


def text(**fields: Any) -> str:
    return json.dumps({"v": 1, "rid": 7, **fields})


def test_a_command_is_read() -> None:
    message = decode(text(type="give-floor", site="00004", floor_version=17))

    assert message == GiveFloor(rid=7, site="00004", floor_version=17)


def test_unknown_fields_are_left_aside_for_newer_clients() -> None:
    assert decode(text(type="hello", ticket="t", colour="red")) == Hello(rid=7, ticket="t")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "bad-json"),
        ("hello", "bad-json"),
        ("[]", "bad-json"),
        ('"hello"', "bad-json"),
        ("{", "bad-json"),
        ('{"type":"ping","v":1,"rid":1}x', "bad-json"),
        (b'{"type":"ping\xff"}', "invalid-utf8"),
        ("\ud800", "invalid-utf8"),
        (text(type="fly"), "unknown-type"),
        (text(type=["ping"]), "unknown-type"),
        (text(), "unknown-type"),
        ('{"type":"ping","rid":1}', "bad-version"),
        ('{"type":"ping","rid":1,"v":2}', "bad-version"),
        ('{"type":"ping","rid":1,"v":true}', "bad-version"),
        ('{"type":"ping","v":1}', "bad-field"),
        ('{"type":"ping","v":1,"rid":-1}', "bad-field"),
        ('{"type":"ping","v":1,"rid":1.5}', "bad-field"),
        ('{"type":"ping","v":1,"rid":true}', "bad-field"),
        ('{"type":"ping","v":1,"rid":99999999999999999999}', "bad-field"),
        (text(type="give-floor", site=4, floor_version=1), "bad-field"),
        (text(type="give-floor", site="00004"), "bad-field"),
        (text(type="set-mode", mode="party", mode_version=0), "bad-field"),
        (text(type="ping", pad="x" * 17_000), "too-big"),
        (text(type="offer", sdp="x" * 66_000), "too-big"),
        ("[" * 100_000, "too-big"),
        ("[" * 9_000, "too-deep"),
        (text(type="ping", a=[[[[[[[[[1]]]]]]]]]), "too-deep"),
    ],
)
def test_what_is_no_message_is_refused_with_a_code(data: bytes | str, reason: str) -> None:
    assert refused(data).reason == reason


def test_the_field_at_fault_is_named_and_the_rid_kept() -> None:
    error = refused(text(type="set-stage", main=None, tiles=["00004", 5], stage_version=1))

    assert (error.reason, error.rid) == ("bad-field", 7)
    assert str(error).startswith("tiles[1]: ")


def test_an_offer_may_be_longer_than_other_messages() -> None:
    assert isinstance(decode(text(type="offer", sdp="x" * 60_000)), Offer)


def test_brackets_in_a_string_are_not_depth() -> None:
    assert isinstance(decode(text(type="offer", sdp='[[[["\\[[[[[[[[{{{{{{{{')), Offer)


def test_every_type_survives_the_way_there_and_back() -> None:
    message = SetMode(rid=3, mode="break", mode_version=2)  # type: ignore[arg-type]

    assert msgspec.to_builtins(decode(codec.encode(message))) == msgspec.to_builtins(message)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
field_names = sorted({name for cls in CLIENT_TYPES.values() for name in cls.__struct_fields__})


def outcome(data: bytes | str) -> ClientMessage | Refused:
    try:
        return decode(data)
    except Refused as error:
        return error


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_bytes_give_a_message_or_a_refusal(data: bytes | str) -> None:
    assert isinstance(outcome(data), ClientMessage | Refused)


@given(
    st.sampled_from(sorted(CLIENT_TYPES)),
    st.dictionaries(st.sampled_from(field_names), json_values, max_size=6),
    st.integers(0, 9),
)
def test_any_fields_give_a_message_or_a_refusal(kind: str, fields: dict[str, Any], rid: int) -> None:
    result = outcome(json.dumps({"v": 1, "rid": rid, **fields, "type": kind}))

    if isinstance(result, Refused):
        assert result.reason in ("bad-field", "bad-version", "too-deep")
    else:
        assert isinstance(result, CLIENT_TYPES[kind])


def test_depth_of_hostile_quotes_is_found_in_linear_time() -> None:
    assert refused('[[[[[[[[["' + '\\"' * 32_000).reason == "too-deep"
