"""Words of the fleet: the same here, in JSON, in TypeScript, in SQL and on the screen."""

from enum import StrEnum


class DeviceKind(StrEnum):
    """What stands there."""

    KIOSK = "kiosk"
    BRIDGE_POINT = "bridge-point"


class DeviceState(StrEnum):
    """What the city has decided about a device, whatever its health."""

    BOUND = "bound"  # bound to a place; has not collected its credential yet
    ACTIVE = "active"
    QUARANTINED = "quarantined"  # let in no more until released; nothing of it is deleted
    RETIRED = "retired"


class EnrolmentState(StrEnum):
    """How far a device has come in being let in."""

    WAITING = "waiting"  # shows its code
    BOUND = "bound"  # staff bound it; it has not collected its credential
    COLLECTED = "collected"
    EXPIRED = "expired"
    REFUSED = "refused"
    LOCKED = "locked"  # its code was guessed wrong too often


class Status(StrEnum):
    """How a device is, in one word; the worst first. The sentence beside it is its reason."""

    OFFLINE = "offline"  # nothing is heard of it, within its opening hours
    FAULTY = "faulty"  # heard, but a resident (or a meeting) cannot be served
    DEGRADED = "degraded"  # serves, with something missing or soon to fail
    OUT_OF_SERVICE = "out-of-service"  # by order of staff
    QUARANTINED = "quarantined"
    NEW = "new"  # never heard of: an install that is not finished, not an outage
    CLOSED = "closed"  # outside opening hours, or in a maintenance window, or retired
    OK = "ok"


class ClockTrust(StrEnum):
    """How far a device's own clock may be believed."""

    SYNCED = "synced"  # kept by NTP or set from our answers within the last hour
    HELD = "held"  # was synced in this boot, not lately
    UNSET = "unset"  # no reason to believe it: no clock battery, never synced since the start


class FleetRole(StrEnum):
    """What a person may do with the fleet; a meeting's roles are another matter."""

    VIEWER = "viewer"
    TECHNICIAN = "technician"  # in the districts named with it
    ADMINISTRATOR = "administrator"


class BundleKind(StrEnum):
    """What a bundle brings."""

    CONTENT = "content"
    CONFIGURATION = "configuration"
    SOFTWARE = "software"


class Severity(StrEnum):
    """How much an incident matters; the gravest first."""

    CRITICAL = "critical"  # a whole place is lost
    MAJOR = "major"  # one device serves nobody
    MINOR = "minor"  # it serves, with something missing or soon to fail


class IncidentState(StrEnum):
    """How far an incident has come."""

    OPEN = "open"  # nobody has said that they are looking
    ACKNOWLEDGED = "acknowledged"
    FOLDED = "folded"  # part of a wider one, and handled there
    CLOSED = "closed"


class Level(StrEnum):
    """How wide an incident is; the widest first."""

    CITY = "city"
    DISTRICT = "district"
    UNIT = "unit"
    BUILDING = "building"
    DEVICE = "device"
