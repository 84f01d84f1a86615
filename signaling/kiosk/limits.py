"""How much of anything one device, or one address, may ask for."""

from typing import Final

HELLO_WITHIN_S: Final = 10.0
MESSAGES_PER_S: Final = 50.0  # of one line; what is more is read later, never refused: an outbox may be long
MESSAGE_BURST: Final = 200.0
SLOWED_FOR_S: Final = 60.0  # who had to be slowed all the time for so long is sent away
STRIKES: Final = 20.0  # messages that are none, before the line is closed
STRIKES_FORGIVEN_PER_S: Final = 0.2
COME_BACK_MS: Final = 30_000
ASKED_PER_S: Final = 1.0  # by REST, without a credential, of one address: a house's devices share one
ASKED_BURST: Final = 60.0
MEASURED_PER_S: Final = 1 / 15  # measurements of its line by one device
MEASURED_BURST: Final = 3.0
DRAIN_RAMP_S: Final = 20.0  # over which devices return after the server was restarted
BEATS_MISSED: Final = 2.0  # silence for so many beats, and a line is dead
GRACE_S: Final = 5.0
"""On top, for a beat that is late; who is silent is asked after one beat and this."""
PROBE_LINE_S: Final = 5.0
"""How long a line is listened to that another boot's line has replaced: a machine that has rebooted cannot
answer."""
