"""Who gets what of a line: voices, main, content, tiles."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from room_manager.media.sfu.line.allot import (
    ALL,
    AUDIO_ONLY,
    LEVELS,
    NOTHING,
    Demand,
    Layer,
    Picture,
    Share,
    allot,
    costs,
)

VOICE = 48e3
LAYERS = (Layer("q", 120e3, 70e3), Layer("h", 400e3, 240e3), Layer("f", 1_200e3, 720e3))
MAIN = Picture("main", LAYERS)
CONTENT = Picture("content", (Layer("", 600e3, 600e3),))
TILES = tuple(Picture(f"tile-{i}", LAYERS) for i in range(1, 5))
WHOLE = Demand((VOICE, VOICE, VOICE), MAIN, CONTENT, TILES)


def level(step: str) -> int:
    return max(i for i, name in enumerate(LEVELS) if name == step)


def test_a_line_without_limits_gets_all() -> None:
    voices, shares = allot(WHOLE, 0, None)

    assert voices == 3
    assert set(shares.values()) == {ALL}
    assert len(shares) == 6


def test_the_main_picture_has_the_layer_of_its_step() -> None:
    def main(step: str) -> Share:
        return allot(WHOLE, level(step), 10e6)[1]["main"]

    assert main("full") == Share("f", "all")
    assert main("half") == Share("h", "all")
    assert main("quarter") == Share("q", "all")
    assert main("fewer-frames") == Share("q", "base")
    assert main("still") == Share("q", "still")
    assert main("audio-only").frames == "none"


def test_sound_only_is_sound_only() -> None:
    voices, shares = allot(WHOLE, AUDIO_ONLY, 50e3)

    assert voices == 1
    assert all(share.frames == "none" for share in shares.values())


def test_what_main_and_voices_leave_goes_to_the_content_and_then_to_tiles() -> None:
    _, shares = allot(WHOLE, level("half"), 3 * VOICE + 400e3 + 600e3 + 120e3 + 80e3)

    assert shares["content"] == Share("", "all")
    assert shares["tile-1"] == Share("q", "all")
    assert shares["tile-2"] == Share("q", "base")
    assert shares["tile-3"] == shares["tile-4"] == NOTHING


def test_the_content_comes_before_a_larger_main_picture_where_it_fits_at_all() -> None:
    carries = 3 * VOICE + 120e3 + 600e3

    assert costs(WHOLE, carries)[level("quarter")] == carries
    assert costs(WHOLE, carries)[level("half")] > carries
    assert costs(WHOLE, carries - 1)[level("half")] == 3 * VOICE + 400e3


def test_a_picture_in_one_layer_is_whole_until_it_is_a_still() -> None:
    one = Demand((VOICE,), Picture("main", (Layer("", 500e3, 500e3),)), None, ())

    assert costs(one, None)[: level("still")] == (VOICE + 500e3,) * level("still")
    assert allot(one, level("quarter"), 900e3)[1]["main"] == Share("", "all")


rates = st.floats(1e3, 5e6)
layers = st.lists(rates, min_size=1, max_size=3).map(
    lambda found: tuple(Layer(rid, bps, 0.6 * bps) for rid, bps in zip("qhf", sorted(found), strict=False))
)


@given(
    voices=st.lists(st.floats(1e3, 1e5), max_size=3),
    pictures=st.lists(layers, min_size=3, max_size=6),
    at=st.integers(1, len(LEVELS) - 1),
    bps=st.floats(1e4, 1e7),
)
def test_costs_fall_from_step_to_step_and_an_allotment_takes_no_more_than_there_is(
    voices: list[float], pictures: list[tuple[Layer, ...]], at: int, bps: float
) -> None:
    main, content, *tiles = (Picture(f"p{i}", found) for i, found in enumerate(pictures))
    demand = Demand(tuple(voices), main, content, tiles)

    found = costs(demand, bps)
    count, shares = allot(demand, at, bps)

    assert all(low <= high * 1.001 for high, low in itertools.pairwise(found))
    assert count >= min(1, len(voices))
    by_slot = {p.slot: {layer.rid: layer for layer in p.layers} for p in (main, content, *tiles)}
    taken = sum(voices[:count])
    for slot, share in shares.items():
        if share.frames in ("all", "base"):
            layer = by_slot[slot][share.layer or ""]
            taken += layer.bps if share.frames == "all" else layer.base_bps
    if found[at] <= bps:
        assert taken <= bps + sum(voices)
