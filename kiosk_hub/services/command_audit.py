"""How commands are told in the audit."""

from kiosk_hub.fleet.acts import name_of
from kiosk_hub.fleet.commands import Command
from kiosk_hub.fleet.permissions import Staff
from kiosk_hub.store import audit


def deed_entry(deed: str, command: Command, staff: Staff, why: str = "") -> audit.Entry:
    """Somebody did something about a command."""
    values: dict[str, str | int | float | bool | None] = {"command": command.id, "act": name_of(command.do)}
    if why:
        values["why"] = why
    if command.second:
        values["second"] = True
    if command.bulk is not None:
        values["bulk"] = command.bulk
    return audit.Entry(
        action=deed, account=staff.account, device=command.device, address=staff.address, values=values
    )


def ended_entry(command: Command) -> audit.Entry:
    """It has come to its end; the result is what came of it."""
    values: dict[str, str | int | float | bool | None] = {
        "command": command.id,
        "act": name_of(command.do),
        "asked_by": command.by,
        "state": command.state,
    }
    if command.approved_by:
        values["approved_by"] = command.approved_by
    if command.late is not None:
        values["late"] = "succeeded" if command.late.succeeded else command.late.code
    return audit.Entry(
        action="end-command", device=command.device, result=command.code or "done", values=values
    )
