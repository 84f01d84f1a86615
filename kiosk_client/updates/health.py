"""Does the screen still live after new content? Pure."""

from typing import Final

from kiosk_client.ports import BodyFacts

FRESH_S: Final = 60.0
MOST_RESTARTS: Final = 1  # of the browser while it is looked at; a page may be loaded anew once


def why_not(before: BodyFacts, now: BodyFacts) -> str | None:
    """The code of what has become worse since the switch; None: nothing.

    What was broken before the switch is not the new content's doing.
    """
    if before.painted is None or before.painted.frame_age_s is None or before.painted.frame_age_s > FRESH_S:
        return None
    if now.restarts > before.restarts + MOST_RESTARTS:
        return "page-restarts"
    if now.painted is None or now.painted.frame_age_s is None or now.painted.frame_age_s > FRESH_S:
        return "page-not-painted"
    return None
