"""Everything of the fleet that is open, as whoever puts the server together hands it on."""

from dataclasses import dataclass

from kiosk_hub.ports import Switchboard
from kiosk_hub.services.audit import Audit
from kiosk_hub.services.bulks import Bulks
from kiosk_hub.services.bundles import Bundles
from kiosk_hub.services.commands import Commands
from kiosk_hub.services.diary import DiaryKeeper
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.enrolments import Enrolments
from kiosk_hub.services.evidence import EvidenceRoom
from kiosk_hub.services.evidence_intake import Intake
from kiosk_hub.services.feed import Changes
from kiosk_hub.services.geography import Geography
from kiosk_hub.services.grants import Grants
from kiosk_hub.services.history import History
from kiosk_hub.services.identities import Identities
from kiosk_hub.services.incidents import Incidents
from kiosk_hub.services.notifier import Notifier
from kiosk_hub.services.registry import Registry
from kiosk_hub.services.reports import Reports
from kiosk_hub.services.rollouts import Rollouts
from kiosk_hub.store.staff import StaffStore
from room_manager.store.database import Database


@dataclass(frozen=True, kw_only=True)
class Hub:
    """The services. Each is written in its own file and knows the others only by what it is given."""

    database: Database
    geography: Geography
    directory: Directory
    changes: Changes  # the port Feed: tell it after a commit what has become different
    history: History  # what was measured; a Listener too
    diary: DiaryKeeper  # the log of each device
    registry: Registry  # how each device is now; a Listener of the device edge
    reports: Reports
    staff: StaffStore
    switchboard: Switchboard
    identities: Identities
    enrolments: Enrolments
    evidence_intake: Intake
    commands: Commands  # and who answers a device that claims one
    bulks: Bulks
    evidence: EvidenceRoom
    audit: Audit
    grants: Grants  # changes them
    incidents: Incidents
    notifier: Notifier  # and where notices go: ``notifier.book``
    bundles: Bundles
    rollouts: Rollouts
