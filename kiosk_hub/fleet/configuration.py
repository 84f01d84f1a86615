"""What a configuration bundle says: ``configuration.json``.

::

    {"format": 1, "session_idle_s": 90, "announcement_s": 20, "volume_share": 0.6, "language": "vi",
     "text_size": "large"}

What is left out is as on a device without any configuration. An unknown name is refused, by the city before
it signs and by the device before it switches: a word that was mistyped would otherwise do nothing, unseen,
on every device.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

Language = Literal["vi", "en"]
TextSize = Literal["normal", "large"]


class Configuration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a device behaves, as far as that is not a matter of its place."""

    format: Literal[1]
    session_idle_s: Annotated[float, Meta(ge=30, le=600)] = 60.0
    """A session ends by itself so long after the last touch; the page warns 20 s before."""
    announcement_s: Annotated[float, Meta(ge=3, le=300)] = 15.0
    """The resting screen shows an announcement so long, unless the announcement says it itself."""
    volume_share: Annotated[float, Meta(ge=0, le=1)] | None = None
    """The loudspeaker's at the agent's start and when this changes; None: it is left as it is."""
    language: Language = "vi"
    """In which a session begins; residents choose another."""
    text_size: TextSize = "normal"
    """Of announcements: ``large`` is a quarter larger."""


USUAL: Final = Configuration(format=1)
"""Of a device without any."""
