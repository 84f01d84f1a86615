"""All stores of one database, as whoever puts the server together hands them on."""

from room_manager.store.accounts import AccountStore
from room_manager.store.database import Database
from room_manager.store.links import LinkStore
from room_manager.store.meetings import MeetingStore
from room_manager.store.recordings import RecordingStore
from room_manager.store.roster import RosterStore
from room_manager.store.secrets import SecretStore
from room_manager.store.sessions import SessionStore


class Stores:
    """Views of one database, which somebody else closes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.meetings = MeetingStore(database)
        self.roster = RosterStore(database)
        self.accounts = AccountStore(database)
        self.sessions = SessionStore(database)
        self.links = LinkStore(database)
        self.recordings = RecordingStore(database)
        self.secrets = SecretStore(database)
