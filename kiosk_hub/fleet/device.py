"""The record of one device: who it is and where it stands. How it *is* at the moment is not here."""

from msgspec import Struct

from kiosk_hub.fleet.ids import DeviceId, Fingerprint
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import DeviceKind, DeviceState


class Device(Struct, frozen=True, kw_only=True):
    """One enrolled device. Times are seconds, UTC."""

    id: DeviceId
    kind: DeviceKind
    name: str  # what staff call it: "Ki-ốt sảnh A, tòa CT1"
    state: DeviceState
    place: Place
    public_key: bytes  # raw Ed25519, 32 bytes
    fingerprint: Fingerprint
    enrolled_at: float
    state_reason: str = ""  # why quarantined or retired, as staff wrote it, or ``cloned-key``
    next_key: bytes | None = None  # a rotation that the device has announced and not finished
    boot: str = ""  # the boot it was last heard from
    counter: int = 0  # of its hellos; only ever grows
    past_boots: tuple[str, ...] = ()  # those before ``boot``, the newest last; none of them may return
    rotation_asked: bool = False  # with its next welcome it is told to make a new key
    hardware: str = ""  # what it called itself when enrolling: model, serial
    in_maintenance_until: float | None = None
    settings_version: int = 0
