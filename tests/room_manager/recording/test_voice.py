"""Whose voice the one sound track carries."""

from room_manager.media.sfu.rtp import Packet, build, extension_block
from room_manager.recording.voice import AHEAD_S, SILENT_S, OneVoice

LEVEL = 3
STEP_S = 0.1
PER_STEP = 5  # packets of 20 ms


class Hall:
    """Slots that speak or are silent, in virtual time; who is heard in each step."""

    def __init__(self, level_id: int | None = LEVEL) -> None:
        self.voice = OneVoice(level_id)
        self.now = 0.0
        self.sent: dict[str, int] = {}

    def pass_time(self, seconds: float, **levels: int) -> list[str]:
        """Each slot named sends, at that level; the slots heard in this time, by the first byte sent."""
        heard: list[str] = []
        for _ in range(round(seconds / STEP_S)):
            for slot, level in levels.items():
                for _ in range(PER_STEP):
                    number = self.sent[slot] = self.sent.get(slot, 0) + 1
                    self.voice.put(slot, _packet(slot, number, level))
            self.now += STEP_S
            heard += [found.frame.data.decode() for found in self.voice.pull(self.now)]
        return heard


def _packet(slot: str, number: int, level: int) -> Packet:
    block = extension_block([(LEVEL, bytes([level]))])
    return Packet(build(111, number, number * 960, 1, slot.encode(), extensions=block))


def changes(heard: list[str]) -> list[str]:
    """The voices in their order."""
    return [slot for n, slot in enumerate(heard) if n == 0 or heard[n - 1] != slot]


def test_whoever_speaks_is_heard_and_a_silent_room_is_not() -> None:
    hall = Hall()

    assert changes(hall.pass_time(2, one=100, two=30)) == ["two"]
    assert changes(hall.pass_time(3, one=30, two=100)) == ["two", "one"]


def test_a_speaker_keeps_the_track_until_a_pause_whoever_falls_in_louder() -> None:
    hall = Hall()
    hall.pass_time(2, one=40, two=100)

    assert changes(hall.pass_time(2, one=40, two=10)) == ["one"]
    assert changes(hall.pass_time(2, one=100, two=10)) == ["one", "two"]


def test_the_first_syllable_is_not_cut_off() -> None:
    hall = Hall()
    hall.pass_time(2, one=100, two=100)
    before = hall.sent["two"]

    heard = hall.pass_time(2, one=100, two=25)

    lost = hall.sent["two"] - before - heard.count("two") - round(AHEAD_S * 50)
    assert lost <= 5  # a tenth of a second


def test_a_voice_that_stops_sending_leaves_the_track_to_who_is_there() -> None:
    hall = Hall()
    hall.pass_time(1, one=100)

    heard = hall.pass_time(SILENT_S + 2, two=100)

    assert changes(heard)[-1] == "two"


def test_without_levels_one_that_sends_is_heard() -> None:
    hall = Hall(level_id=None)

    assert changes(hall.pass_time(2, one=30, two=30)) == ["one"]


def test_another_voice_is_told_to_be_one() -> None:
    voice = OneVoice(LEVEL)
    for number in range(1, 40):
        voice.put("one", _packet("one", number, 20))
    first = voice.pull(1.0, last=True)
    for number in range(1, 40):
        voice.put("two", _packet("two", number, 20))
    second = voice.pull(2.0, last=True)

    assert [found.anew for found in first] == [True] + [False] * 38
    assert [found.anew for found in second] == [True] + [False] * 38
