"""Names of things, one type each, so that a site can never be passed for a room."""

from typing import Final, NewType

RoomId = NewType("RoomId", str)
"""One meeting. Short text, safe in a URL path."""

SiteId = NewType("SiteId", str)
"""One bridge point. The unit's official code: digits with leading zeros, kept as text."""

ConnectionId = NewType("ConnectionId", str)
"""One live connection of one device. Never used twice, not even after a restart."""

HOST: Final = SiteId("TP")
"""The main site, "Điểm cầu Thành phố": every roster has it beside its units."""
