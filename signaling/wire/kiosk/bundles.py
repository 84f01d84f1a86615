"""What city and device must agree on about bundles: their files, their fitness, their windows.

A content bundle is a ZIP with ``announcements.json`` (:class:`Content`) and the pictures it names. A
configuration bundle is a ZIP with ``configuration.json`` (:class:`Configuration`). A software bundle is a ZIP
of wheels: the agent's own and all it needs, installed with ``pip --no-index``.
"""

from kiosk_hub.fleet.announcements import Content, Written, contents_trouble
from kiosk_hub.fleet.archives import MAX_UNPACKED_BYTES, Entry, Trouble, trouble_of
from kiosk_hub.fleet.bundles import MANIFEST, Custom, Needs, misfit, target_of
from kiosk_hub.fleet.configuration import USUAL, Configuration
from kiosk_hub.fleet.window import is_open, opens_in_s

ROOT = "1.root.json"
"""The first root of trust. A device keeps the first it gets and follows only its heirs."""


__all__ = [
    "MANIFEST",
    "MAX_UNPACKED_BYTES",
    "ROOT",
    "USUAL",
    "Configuration",
    "Content",
    "Custom",
    "Entry",
    "Needs",
    "Trouble",
    "Written",
    "contents_trouble",
    "is_open",
    "misfit",
    "opens_in_s",
    "target_of",
    "trouble_of",
]
