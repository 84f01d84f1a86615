"""Firefox as an encoder and as a player, as a process of its own so that it can run inside a namespace.

``python -m tests.interop.firefox_client publish|watch URL TOKEN PROFILE …``: an encoder says ``up`` and sends
until its standard input ends; a player prints what it sees as one line of JSON.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

from tests.helpers.bidi import Page, firefox
from tests.helpers.browser import EYES
from tests.helpers.pictures import COLOURS

LIMIT_S: Final = 40.0
FRAMES: Final = 15
SOUNDS: Final = 40  # packets of 20 ms
RECEIVED: Final = """async (kind, counter) => [...(await window.peer.getStats()).values()]
  .find((report) => report.type === "inbound-rtp" && report.kind === kind)?.[counter] ?? 0"""
SCRIPT: Final = Path(__file__).with_name("page.js").read_text()


def publish(page: Page, asked: argparse.Namespace) -> None:
    """A canvas of that colour, and the tone of the fake microphone, until standard input ends."""
    rgb = ",".join(map(str, COLOURS[asked.colour]))
    _call(page, f"publish({_where(asked)}, await painted({json.dumps(rgb)}), {json.dumps(asked.codec)})")
    print("up", flush=True)
    sys.stdin.read()
    assert page.evaluate("window.hangUp()") == 200


def watch(page: Page, asked: argparse.Namespace) -> None:
    """Tell what is seen and heard."""
    _call(page, f"watch({_where(asked)})")
    rgb = page.wait_for(f"(({EYES})('main'))", LIMIT_S)
    # Where there is no sound card Firefox plays nothing that could be listened to.
    page.wait_for(f"({RECEIVED})('audio', 'packetsReceived').then(packets => packets > {SOUNDS})", LIMIT_S)
    page.wait_for(f"({RECEIVED})('video', 'framesDecoded').then(frames => frames > {FRAMES})", LIMIT_S)
    assert page.evaluate("window.hangUp()") == 200
    print(json.dumps({"rgb": rgb}))


def _where(asked: argparse.Namespace) -> str:
    return f"{json.dumps(asked.url)}, {json.dumps(asked.token)}"


def _call(page: Page, call: str) -> None:
    """Of the page's functions, which are made anew for each call."""
    page.evaluate(f"(async () => {{ {SCRIPT}; await {call}; }})()")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["publish", "watch"])
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("profile", type=Path)
    parser.add_argument("--colour", default="red")
    parser.add_argument("--tone", type=int, default=440)
    parser.add_argument("--codec", default="")
    asked = parser.parse_args()
    with firefox(asked.profile, media__navigator__audio__fake_frequency=asked.tone) as page:
        page.open(urljoin(asked.url, "/nothing.txt"))  # plain text, and the server's origin
        (publish if asked.what == "publish" else watch)(page, asked)


if __name__ == "__main__":
    main()
