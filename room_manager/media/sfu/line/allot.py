"""What a line is given: which layer and how many frames in each slot, for what it carries.

In this order: the first voice, other voices, the main picture at its step, the content, the tiles. Only
where the content fits beside the smallest main picture, it comes before a larger main picture: a sheet
that is being spoken about is worth more than a bigger face.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from room_manager.media.engine import Step

LEVELS: Final[tuple[Step, ...]] = ("full", "full", "half", "quarter", "fewer-frames", "still", "audio-only")
"""What a line may be at, best first. Level 0 is everything without a limit; level 1 the full main
picture, and of the rest what fits.
"""

EVERYTHING: Final = 0
STILL: Final = LEVELS.index("still")
AUDIO_ONLY: Final = LEVELS.index("audio-only")
MIDDLE_RANK: Final = 1
RANKS: Final = {"q": 0, "h": 1, "f": 2}
STILL_S: Final = 4.0
"""A still is renewed this often."""

KEYFRAME_S: Final = 0.4
"""A keyframe is about as large as this much of its stream."""

Frames = Literal["all", "base", "still", "none"]


class Layer(NamedTuple):
    """One layer a picture can be had in; ``base_bps`` with the frames of the lowest temporal level only."""

    rid: str
    bps: float
    base_bps: float


class Picture(NamedTuple):
    """What a slot would show; layers from the smallest. None: nothing is there."""

    slot: str
    layers: tuple[Layer, ...]


class Share(NamedTuple):
    """What a slot is given. ``layer`` None: the best there is."""

    layer: str | None
    frames: Frames


ALL: Final = Share(None, "all")
NOTHING: Final = Share(None, "none")


class Demand(NamedTuple):
    """What a receiver would get on a line without limits."""

    voices: tuple[float, ...]  # bits per second of each voice, the most important first
    main: Picture | None
    content: Picture | None
    tiles: Sequence[Picture]

    @property
    def audio_bps(self) -> float:
        """All voices."""
        return sum(self.voices)


def layer_at(picture: Picture, level: int) -> Layer:
    """The layer of the main picture at a level."""
    layers = picture.layers
    if LEVELS[level] == "full":
        return layers[-1]
    if LEVELS[level] == "half":
        smaller = [layer for layer in layers if RANKS.get(layer.rid, MIDDLE_RANK) <= MIDDLE_RANK]
        return smaller[-1] if smaller else layers[0]
    return layers[0]


def still_bps(layer: Layer) -> float:
    """A keyframe now and then."""
    return layer.bps * KEYFRAME_S / STILL_S


def main_bps(picture: Picture | None, level: int) -> float:
    """What the main picture takes at a level."""
    if picture is None or not picture.layers or level == AUDIO_ONLY:
        return 0.0
    layer = layer_at(picture, level)
    if level == STILL:
        return still_bps(layer)
    return layer.base_bps if LEVELS[level] == "fewer-frames" else layer.bps


def costs(demand: Demand, bps: float | None) -> tuple[float, ...]:
    """What each level takes at least, in bits per second; the first takes everything."""
    content = _best(demand.content)
    rest = content + sum(tile.layers[0].bps for tile in demand.tiles if tile.layers)
    everything = demand.audio_bps + main_bps(demand.main, EVERYTHING) + rest
    smallest = demand.audio_bps + main_bps(demand.main, LEVELS.index("quarter")) + content
    with_content = content if bps is not None and smallest <= bps else 0.0
    least = demand.voices[0] if demand.voices else 0.0
    found = [everything]
    for level in range(1, len(LEVELS)):
        voices = least if level >= STILL else demand.audio_bps
        beside = with_content if level < STILL else 0.0
        found.append(voices + main_bps(demand.main, level) + beside)
    return tuple(found)


def allot(demand: Demand, level: int, bps: float | None) -> tuple[int, dict[str, Share]]:
    """How many voices the line is given, and the share of each slot of ``demand`` that shows something."""
    pictures = [p for p in (demand.main, demand.content, *demand.tiles) if p is not None and p.layers]
    if level == EVERYTHING or bps is None:
        return len(demand.voices), {picture.slot: ALL for picture in pictures}
    main = demand.main if demand.main is not None and demand.main.layers else None
    left = bps - main_bps(main, level)
    voices = 0
    for voice in demand.voices:
        if voices and voice > left:
            break
        voices += 1
        left -= voice
    shares: dict[str, Share] = {}
    if main is not None:
        layer = layer_at(main, level)
        frames: dict[Step, Frames] = {"fewer-frames": "base", "still": "still", "audio-only": "none"}
        shares[main.slot] = Share(layer.rid, frames.get(LEVELS[level], "all"))
    for picture in pictures:
        if picture is main:
            continue
        share, takes = _what_fits(
            picture, left if level < AUDIO_ONLY else 0.0, content=picture is demand.content
        )
        shares[picture.slot] = share
        left -= takes
    return voices, shares


def _what_fits(picture: Picture, left: float, *, content: bool) -> tuple[Share, float]:
    """The best that ``left`` bits per second hold, and what it takes."""
    for layer in reversed(picture.layers) if content else picture.layers[:1]:
        if layer.bps <= left:
            return Share(layer.rid, "all"), layer.bps
    smallest = picture.layers[0]
    if smallest.base_bps <= left:
        return Share(smallest.rid, "base"), smallest.base_bps
    if content and still_bps(smallest) <= left:
        return Share(smallest.rid, "still"), still_bps(smallest)
    return NOTHING, 0.0


def _best(picture: Picture | None) -> float:
    return picture.layers[-1].bps if picture is not None and picture.layers else 0.0
