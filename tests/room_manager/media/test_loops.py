"""The loops that simulated sites play, and playing them in time."""

from itertools import pairwise
from typing import Final

from room_manager.media.loops import LoopPlayer, shipped
from room_manager.media.sfu import vp8

Sent = tuple[str, str, bytes, int, bool, int | None]
LAYERS: Final = ("q", "h", "f")


class Played:
    """A player on a clock of the test's, and what it sent."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.now = 100.0
        self.player = LoopPlayer(
            shipped()[0], lambda *packet: self.sent.append(packet), layers=LAYERS, voice=True
        )

    def run(self, seconds: float) -> list[Sent]:
        self.sent.clear()
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self.player.advance(self.now)
        return list(self.sent)


def is_key(payload: bytes) -> bool:
    return vp8.describe(payload, 0, len(payload)).starts_keyframe


def test_the_shipped_loops_are_distinct_small_and_can_be_entered() -> None:
    loops = shipped()

    assert len({loop.layers[0].frames for loop in loops}) == len(loops) >= 3
    for loop in loops:
        assert [layer.name for layer in loop.layers] == list(LAYERS)
        assert len({len(layer.frames) for layer in loop.layers}) == 1
        assert all(not layer.frames[at][0] & 1 for layer in loop.layers for at in loop.keyframes)
        assert len(loop.sound.packets) == len(loop.sound.levels)
        assert min(loop.sound.levels) < 50 < max(loop.sound.levels)


def test_a_second_is_eight_frames_and_fifty_sounds() -> None:
    played = Played()
    played.run(1)

    sent = played.run(2)

    assert sum(kind == "camera" and layer == "q" and last for kind, layer, _, _, last, _ in sent) == 16
    assert 99 <= sum(kind == "microphone" for kind, *_ in sent) <= 101
    assert {layer for kind, layer, *_ in sent if kind == "camera"} == set(LAYERS)


def test_a_request_is_answered_by_a_keyframe_in_every_layer() -> None:
    played = Played()
    played.run(0.3)

    played.player.jump_to_keyframe()
    sent = played.run(0.26)

    first = {layer: payload for kind, layer, payload, *_ in reversed(sent) if kind == "camera"}
    assert all(is_key(payload) for payload in first.values())


def test_numbers_go_on_over_a_pause_and_another_loop() -> None:
    played = Played()
    before = played.run(1)

    played.now += 10
    played.player.change(shipped()[1], layers=("q",), voice=False)
    after = played.run(1)

    video = [(ts, payload) for kind, _, payload, ts, *_ in before + after if kind == "camera"]
    assert {layer for _, layer, *_ in after} == {"q"}
    assert is_key(after[0][2])
    gap = (after[0][3] - [s for s in before if s[0] == "camera"][-1][3]) & 0xFFFFFFFF
    assert 9.5 * 90_000 < gap < 10.5 * 90_000
    pictures = [vp8.describe(payload, 0, len(payload)).picture_id for _, payload in video]
    assert all((b - a) & 0x7FFF in (0, 1) for a, b in pairwise(pictures) if a and b)
