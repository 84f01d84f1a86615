"""A key's fingerprint, and the four words by which people compare it: the device shows them, and so does
the page.

Forty bits of SHA-256, ten to a word. Whoever would pass for a device must make a key whose words are the
same while the device's code is good; ten minutes are too short for 2^40 keys made and hashed by ordinary
means, and a wrong place is seen. Comparing words is for people; what is stored and checked by machines is
the whole hash.
"""

import base64
import binascii
import hashlib
from typing import Final

_THINGS: Final = (
    "thuyền xe nhà cầu bàn ghế nến sách bút nón trống chuông diều kẹo bánh lúa "
    "sen táo voi ngựa thỏ rùa ong mây sao núi suối rừng cửa khóa thước áo"
)
_KINDS: Final = (
    "xanh đỏ tím vàng trắng đen nâu hồng xám bạc to nhỏ cao thấp dài ngắn "
    "tròn vuông mới nhanh chậm nặng nhẹ sáng gỗ len tre giấy ngọc sứ thơm mát"
)
THINGS: Final = tuple(_THINGS.split())
KINDS: Final = tuple(_KINDS.split())
WORDS: Final = tuple(f"{thing} {kind}" for thing in THINGS for kind in KINDS)
"""Short, everyday, harmless in any pair, and no two alike even where marks or tones are not heard."""
WORDS_SHOWN: Final = 4
BITS_A_WORD: Final = 10
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64


def raw_key(text: str) -> bytes | None:
    """The 32 bytes of a key as it stands in messages (base64url without padding); None: it is none."""
    return _raw(text, KEY_BYTES)


def raw_signature(text: str) -> bytes | None:
    """The 64 bytes of a signature as it stands in messages; None: it is none."""
    return _raw(text, SIGNATURE_BYTES)


def _raw(text: str, size: int) -> bytes | None:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == size else None


def key_text(raw: bytes) -> str:
    """A key, or a signature, as it stands in messages."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def fingerprint_of(public_key: bytes) -> str:
    """SHA-256 of the raw key, 64 small hexadecimal digits."""
    return hashlib.sha256(public_key).hexdigest()


def words_of(fingerprint: str) -> tuple[str, ...]:
    """The four words of a fingerprint, as both sides show them. Raises ``ValueError`` if it is none."""
    bits = int.from_bytes(bytes.fromhex(fingerprint)[:5], "big")
    return tuple(
        WORDS[(bits >> (BITS_A_WORD * place)) & (2**BITS_A_WORD - 1)]
        for place in reversed(range(WORDS_SHOWN))
    )
