"""A ward in Firefox, as a process of its own so that it can be run inside a network namespace.

``python -m tests.helpers.firefox_ward PROFILE URL``: enters by the link, waits for the chair's picture, and
prints what it sees as one line of JSON.
"""

import json
import sys
from pathlib import Path

from tests.helpers.bidi import firefox
from tests.helpers.browser import EYES

LIMIT_S = 40.0
FRAMES = """
new Promise((go) => {
  const video = document.querySelector("[data-slot=main] video");
  let frames = 0;
  const count = () => (++frames < 10 ? video.requestVideoFrameCallback(count) : go(frames));
  video.requestVideoFrameCallback(count);
})
"""


def main(profile: str, url: str) -> None:
    """Enter, look, tell."""
    with firefox(Path(profile)) as page:
        page.open(url)
        try:
            page.wait_for("document.querySelector('[data-slot=own][data-fresh=true]') !== null", LIMIT_S)
        except TimeoutError:
            raise SystemExit(
                f"no camera; the page says: {page.evaluate('document.body.innerText')}"
            ) from None
        page.evaluate("document.querySelector('[data-testid=enter]').click()")
        rgb = page.wait_for(f"(({EYES})('main'))", LIMIT_S)
        frames = page.wait_for(FRAMES, LIMIT_S)
        print(json.dumps({"main": rgb, "frames": frames}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
