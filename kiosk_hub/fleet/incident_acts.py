"""What people want of an incident: ``decide`` says what it leads to, or refuses, and changes nothing."""

from typing import Annotated, Final, assert_never

from msgspec import Meta, Struct

from kiosk_hub.fleet.incidents import (
    Acknowledged,
    AnyEvent,
    Assigned,
    Closed,
    Commented,
    Incident,
    Reopened,
)
from kiosk_hub.fleet.values import IncidentState
from room_manager.errors import Invalid, Limit, Stale, WrongState
from room_manager.words import kebab

MAX_COMMENTS: Final = 500

Note = Annotated[str, Meta(min_length=3, max_length=1_000)]


class Command(Struct, frozen=True, kw_only=True, tag_field="act", tag=kebab):
    """Base. ``by``: the account."""

    by: str


class Acknowledge(Command, frozen=True):
    version: int


class Assign(Command, frozen=True):
    """To an account; empty: to nobody. Whoever is given it is looking, so it counts as acknowledged."""

    to: str
    version: int


class Comment(Command, frozen=True):
    text: Note


class Close(Command, frozen=True):
    """While something is still wrong, ``note`` must say why that is no reason to keep it open."""

    note: str
    version: int


class Reopen(Command, frozen=True):
    note: str
    version: int


AnyCommand = Acknowledge | Assign | Comment | Close | Reopen


def decide(incident: Incident, command: AnyCommand, now: float) -> list[AnyEvent]:
    """What it leads to. Raises ``Stale``, ``WrongState``, ``Invalid``, ``Limit``."""
    if not isinstance(command, Comment) and command.version != incident.version:
        raise Stale("the incident has changed since you looked")
    match command:
        case Acknowledge():
            if incident.state is not IncidentState.OPEN:
                raise WrongState(f"the incident is {incident.state}")
            return [Acknowledged(at=now, by=command.by)]
        case Assign():
            if incident.state is IncidentState.CLOSED:
                raise WrongState("the incident is closed")
            assigned = Assigned(to=command.to, at=now, by=command.by)
            if command.to and incident.state is IncidentState.OPEN:
                return [Acknowledged(at=now, by=command.by), assigned]
            return [assigned]
        case Comment():
            if incident.comments >= MAX_COMMENTS:
                raise Limit(f"an incident has at most {MAX_COMMENTS} comments")
            return [Commented(text=command.text.strip(), at=now, by=command.by)]
        case Close():
            if not incident.is_open:
                raise WrongState(f"the incident is {incident.state}")
            if incident.ill and len(command.note.strip()) < 3:
                raise Invalid("something is still wrong there: say in a note why it may be closed")
            return [Closed(note=command.note.strip(), at=now, by=command.by)]
        case Reopen():
            if incident.state is not IncidentState.CLOSED:
                raise WrongState(f"the incident is {incident.state}")
            return [Reopened(note=command.note.strip(), at=now, by=command.by)]
        case _:
            assert_never(command)
