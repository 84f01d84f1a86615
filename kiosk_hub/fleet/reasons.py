"""Why something is as it is: a stable code for programs, a sentence in each language for people."""

from msgspec import Struct


class Reason(Struct, frozen=True):
    """One reason. The sentences have their numbers in them already."""

    code: str
    vi: str
    en: str
