"""``python -m kiosk_client``; people say ``diemcau agent``, ``diemcau probe``, ``diemcau simulate``."""

import sys

from kiosk_client.cli import main

if __name__ == "__main__":
    sys.exit(main())
