"""A server's WebSocket text frame as bytes, made once for all who hear it.

A server does not mask (RFC 6455, section 5.1), so without compression the frame of one message is the
same bytes for every receiver.
"""

import struct


def text_frame(payload: bytes) -> bytes:
    """One final text frame (section 5.2). The payload must be UTF-8, as our JSON encoder writes it."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload
