"""Vietnamese text for machines: folded for finding, keyed for sorting.

Names come in NFC with tone marks in the old or the new place (Hòa, Hoà), and people search without any.
"""

import unicodedata
from typing import Final

_ALPHABET: Final = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_LETTER_MARKS: Final = {"\u0306", "\u0302", "\u031b"}  # breve, circumflex, horn: another letter
_TONES: Final = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}

# One printable character per weight, rising by code point, so that any store sorts keys right.
_WEIGHTS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_GAP: Final = _WEIGHTS[0]
_DIGITS: Final = dict(zip("0123456789", _WEIGHTS[1:11], strict=True))
_LETTERS: Final = dict(zip(_ALPHABET, _WEIGHTS[11 : 11 + len(_ALPHABET)], strict=True))
_OTHER: Final = _WEIGHTS[-1]
_MAX_NUMBER_DIGITS: Final = 9


def fold(text: str) -> str:
    """Lower-case words without marks, one space apart: "P. Đống Đa" and "p dong da" are the same.

    đ has no decomposition in Unicode, so it is turned into d by hand.
    """
    plain = _decomposed(_decomposed(text).casefold()).replace("đ", "d")
    letters = (char for char in plain if unicodedata.category(char)[0] != "M")
    return " ".join("".join(char if char.isalnum() else " " for char in letters).split())


def sort_key(text: str) -> str:
    """A printable ASCII key: comparing keys as plain strings gives Vietnamese order.

    As the CLDR collation for Vietnamese does: letters first, in the order a ă â b c d đ e ê … o ô ơ …
    u ư …; only where all letters are equal the tones decide, in the order ngang, huyền, hỏi, ngã, sắc,
    nặng. Case does not matter, words compare before longer ones, and numbers by their value.
    """
    letters: list[str] = []
    tones: list[str] = []
    for word in _words(text):
        if letters:
            letters.append(_GAP)
            tones.append("0")
        if word[0].isdecimal() and word.isascii():
            letters.append(_number(word))
            continue
        for letter, tone in _letters(word):
            letters.append(_LETTERS.get(letter) or _DIGITS.get(letter) or _OTHER)
            tones.append(tone)
    return f"{''.join(letters)} {''.join(tones)}"


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


def _words(text: str) -> list[str]:
    """The words and the numbers of the text, decomposed."""
    plain = _decomposed(_decomposed(text).casefold())
    spaced = []
    was_digit = False
    for char in plain:
        is_digit = char in _DIGITS
        if is_digit != was_digit:
            spaced.append(" ")
        was_digit = is_digit
        spaced.append(char if char.isalnum() or unicodedata.category(char)[0] == "M" else " ")
    return "".join(spaced).split()


def _number(digits: str) -> str:
    """How many digits, then the digits: so 9 comes before 10."""
    value = digits.lstrip("0")[:_MAX_NUMBER_DIGITS] or "0"
    return _DIGITS[str(len(value))] + "".join(_DIGITS[digit] for digit in value)


def _letters(word: str) -> list[tuple[str, str]]:
    """Each letter of a decomposed word with its tone."""
    letters: list[tuple[str, str]] = []
    for char in word:
        if unicodedata.category(char)[0] != "M":
            letters.append((char, "0"))
        elif letters:
            letter, tone = letters[-1]
            if char in _LETTER_MARKS:
                letter = unicodedata.normalize("NFC", letter + char)
            letters[-1] = (letter, _TONES.get(char, tone))
    return letters
