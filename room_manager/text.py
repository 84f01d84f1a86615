"""Text typed by people, made fit to be kept for years and shown on 579 screens. Pure."""

import unicodedata

from room_manager.errors import Invalid


def one_line(text: str, max_chars: int, what: str) -> str:
    """The text as one line in NFC, without what cannot be seen.

    White space of any kind, line ends included, becomes single spaces. Format characters (zero-width,
    direction overrides) come along when pasting from office programs and can make a text look like
    another one, so they are dropped. Control characters nobody types: they are refused.

    Args:
        text: What somebody typed.
        max_chars: The most characters that may remain.
        what: Its name in the refusal, as in "the reason".

    Raises:
        Invalid: Nothing remains, too much remains, or there is a control character in it.
    """
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    line = unicodedata.normalize("NFC", " ".join(visible.split()))
    if not line:
        raise Invalid(f"{what} is empty")
    if len(line) > max_chars:
        raise Invalid(f"{what} is longer than {max_chars} characters")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in line):
        raise Invalid(f"{what} has a control character in it")
    return line
