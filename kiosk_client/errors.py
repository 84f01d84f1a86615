"""What may fail in the agent, as stable codes."""

from typing import ClassVar


class AgentError(Exception):
    """Base: ``code`` for programs, the text for people."""

    code: ClassVar[str] = "agent"


class NotKept(AgentError):
    """The disk refused: it is full, or has gone read-only. Nothing was kept."""

    code = "not-kept"


class NotAvailable(AgentError):
    """This machine does not have what was asked for."""

    code = "not-available"


class BadState(AgentError):
    """The state folder cannot be used: another agent has it, or what is in it is not ours."""

    code = "bad-state"
