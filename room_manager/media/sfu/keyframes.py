"""Asking a publisher for keyframes, neither too often nor too seldom.

One request on one simulcast layer makes keyframes on all of them, and a browser's encoder ignores
requests within 300 ms of the last it honoured. So requests are gathered per picture, and repeated for as
long as somebody waits.
"""

from typing import Final

from room_manager.media.sfu.track import Role, Track

SWITCH_S: Final = 0.3
"""Between requests while somebody waits for a new picture."""

SHARED_S: Final = 1.0
"""Between requests for newcomers and repairs: 579 sites coming at once make one keyframe a second."""


class KeyframeAsks:
    """What to ask of one publisher."""

    __slots__ = ("_asked_at", "asked")

    def __init__(self) -> None:
        self._asked_at: dict[Role, float] = {}
        self.asked = 0

    def ask(self, track: Track, now: float, *, switching: bool) -> bool:
        """Whether a request for this track should go out now; if so it is taken to be sent."""
        interval = SWITCH_S if switching else SHARED_S
        last = self._asked_at.get(track.role)
        if last is not None and now - last < interval:
            return False
        self._asked_at[track.role] = now
        self.asked += 1
        return True
