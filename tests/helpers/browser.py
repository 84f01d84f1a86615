"""One real Chromium per site, each with a camera and a microphone of its own, and eyes and ears on its page.

The fake devices belong to the browser process, so a site is a process. What is seen is read from the
decoded frames on a canvas; what is heard from the decoded sound.
"""

import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.helpers.pictures import COLOURS, Rgb, nearest, write_camera, write_voice

CHROMIUM: Final = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
LIMIT_S: Final = 30.0
AUDIBLE_DB: Final = -60.0
CONTENT_TITLE: Final = "noi-dung"
CONTENT: Final = """data:text/html,<title>{title}</title><style>
@keyframes go {{ to {{ left: 80px }} }} i {{ position: absolute; width: 8px; height: 8px; background: white;
animation: go 1s linear infinite }}</style><body style="background: rgb{rgb}"><i></i>"""

PEERS = """
window.__peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.__peers.push(this); }
};
"""

LIVE_PEERS = """
() => window.__peers.filter((peer) => peer.connectionState === "connected").map((peer) => ({
  number: window.__peers.indexOf(peer),
  ufrag: /a=ice-ufrag:(\\S+)/.exec(peer.currentRemoteDescription.sdp)[1],
}))
"""

CAMERA_LAYERS = """
() => window.__peers.filter((peer) => peer.connectionState === "connected").flatMap((peer) =>
  peer.getTransceivers()[1].sender.getParameters().encodings)
  .filter(({ active }) => active).map(({ rid }) => rid)
"""

MAIN_TRACK = (
    """(document.querySelector('[data-slot="main"] video')?.srcObject?.getVideoTracks()[0] ?? null)"""
)

EYES = """
(slot) => {
  const video = document.querySelector(`[data-slot="${slot}"] video, video[data-slot="${slot}"]`);
  if (video?.closest("[data-fresh]")?.dataset.fresh === "false") return null; // an old frame stands there
  if (!video || video.readyState < 2 || !video.videoWidth || video.srcObject === null) return null;
  const canvas = window.__eye ??= document.createElement("canvas");
  canvas.width = 16; canvas.height = 16;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, 16, 16);
  const at = pen.getImageData(4, 6, 8, 8).data;
  const sum = [0, 0, 0];
  for (let i = 0; i < at.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += at[i + c];
  return sum.map((value) => value / (at.length / 4));
}
"""

EARS = """
async (tone_hz) => {
  const players = [...document.querySelectorAll("audio, video")].filter((player) => !player.muted);
  const streams = players.map((player) => player.srcObject).filter((it) => it?.getAudioTracks().length);
  const ear = (window.__ear ??= new AudioContext());
  await ear.resume();
  const listening = streams.map((stream) => {
    const analyser = new AnalyserNode(ear, { fftSize: 4096, smoothingTimeConstant: 0 });
    const source = ear.createMediaStreamSource(stream);
    source.connect(analyser);
    return { source, analyser, bins: new Float32Array(analyser.frequencyBinCount) };
  });
  let level = -200;
  for (let look = 0; look < 6; look++) {
    await new Promise((go) => setTimeout(go, 90));
    for (const { analyser, bins } of listening) {
      analyser.getFloatFrequencyData(bins);
      bins.forEach((loud, i) => {
        const hz = (i * ear.sampleRate) / analyser.fftSize;
        if (hz > 100 && (tone_hz === null || Math.abs(hz - tone_hz) < 30)) level = Math.max(level, loud);
      });
    }
  }
  for (const { source } of listening) source.disconnect();
  return level;
}
"""


class Window:
    """One site's browser window."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def rgb(self, slot: str) -> Rgb | None:
        """The average colour in the middle of a slot's picture; None while there is none."""
        seen = self.page.evaluate(EYES, slot)
        return None if seen is None else (round(seen[0]), round(seen[1]), round(seen[2]))

    def colour(self, slot: str) -> str | None:
        """Whose picture the slot shows, by the colour of its camera."""
        rgb = self.rgb(slot)
        return None if rgb is None else nearest(rgb)

    def remember_pictures(self) -> None:
        """What the main slot shows now is the old; see :meth:`wait_new_picture`."""
        self.page.evaluate(f"window.__old = {MAIN_TRACK}")

    def wait_new_picture(self, colour: str, limit_s: float = LIMIT_S) -> None:
        """Until that camera is seen over another connection than the remembered one."""
        self.wait(lambda: self.page.evaluate(f"window.__old !== {MAIN_TRACK}"), True, "new:", limit_s)
        self.wait_colour("main", colour, limit_s)

    def live_peers(self) -> list[dict[str, Any]]:
        """The page's peer connections that are up: which one it is, and the server's ICE credentials."""
        found: list[dict[str, Any]] = self.page.evaluate(LIVE_PEERS)
        return found

    def layers(self) -> list[str]:
        """The layers of its camera that the window sends now."""
        found: list[str] = self.page.evaluate(CAMERA_LAYERS)
        return found

    def level_db(self, tone_hz: int | None = None) -> float:
        """How loud a tone is on the page within half a second; without one, the loudest sound."""
        return float(self.page.evaluate(EARS, tone_hz))

    def wait_colour(self, slot: str, colour: str, limit_s: float = LIMIT_S) -> None:
        """Until the slot shows that camera."""
        self.wait(lambda: self.colour(slot), colour, f"{slot} shows", limit_s)

    def wait_tone(self, tone_hz: int, limit_s: float = LIMIT_S) -> None:
        """Until that site's voice is heard, beside others or alone."""
        self.wait(lambda: self.level_db(tone_hz) > AUDIBLE_DB, True, f"{tone_hz} Hz heard:", limit_s)

    def wait_silence(self, limit_s: float = LIMIT_S) -> None:
        """Until nothing is to be heard."""
        self.wait(lambda: self.level_db() > AUDIBLE_DB, False, "a sound:", limit_s)

    def enter(self) -> None:
        """Through the check of camera and microphone, as a person does."""
        self.page.wait_for_selector('[data-testid="picture-own"][data-fresh="true"]')
        self.page.click('[data-testid="enter"]')
        self.page.wait_for_selector('[data-testid="stage"]')

    def press(self, selector: str) -> None:
        """Click a button of the lower bar, which rests when nothing is asked of it for a while.

        A click that wakes it does nothing else, so it is woken first: on a busy machine it may go to rest
        between the look at the button and the click.
        """
        self.page.keyboard.press("Shift")
        self.page.click(selector)

    def open_content(self, colour: str) -> Page:
        """Another tab of this browser, all in that colour: the one that is taken when somebody shares."""
        tab = self.page.context.new_page()
        tab.goto(CONTENT.format(title=CONTENT_TITLE, rgb=COLOURS[colour]))
        self.page.bring_to_front()
        return tab

    def shows(self, selector: str, limit_s: float = LIMIT_S) -> None:
        """Until something like that is to be seen."""
        self.page.wait_for_selector(selector, timeout=limit_s * 1000)

    def wait(self, look: Any, wanted: object, what: str, limit_s: float = LIMIT_S) -> None:
        """Look again and again until it is so; the browser, not we, lets the time pass."""
        deadline = self.page.evaluate("performance.now()") + limit_s * 1000
        while (seen := look()) != wanted:
            if self.page.evaluate("performance.now()") > deadline:
                raise AssertionError(f"{what} {wanted!r} was not so within {limit_s:.0f} s, but {seen!r}")
            self.page.evaluate("new Promise(go => setTimeout(go, 100))")


class Camera(Struct, frozen=True):
    """What one site shows and says."""

    colour: str
    tone_hz: int


class Browsers:
    """Starts a Chromium per site and ends them all."""

    def __init__(
        self, playwright: Playwright, folder: Path, wrap: Sequence[str] = (), args: Sequence[str] = ()
    ) -> None:
        """``wrap`` is what comes before the browser's command; ``args`` are more of its own."""
        self._playwright = playwright
        self._folder = folder
        self._args = args
        self._program = CHROMIUM
        if wrap:
            script = folder / "chromium-elsewhere"
            script.write_text(f'#!/bin/sh\nexec {shlex.join(wrap)} {shlex.quote(str(CHROMIUM))} "$@"\n')
            script.chmod(0o755)
            self._program = str(script)
        self._open: list[Browser] = []

    def window(self, url: str, camera: Camera) -> Window:
        """A window of its own browser, at that address, with that camera."""
        picture = self._folder / f"{camera.colour}.y4m"
        voice = self._folder / f"{camera.tone_hz}.wav"
        if not picture.exists():
            write_camera(picture, COLOURS[camera.colour])
        if not voice.exists():
            write_voice(voice, camera.tone_hz)
        browser = self._playwright.chromium.launch(
            executable_path=self._program,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={picture}",
                f"--use-file-for-fake-audio-capture={voice}",
                "--allow-loopback-in-peer-connection",
                "--autoplay-policy=no-user-gesture-required",
                f"--auto-select-tab-capture-source-by-title={CONTENT_TITLE}",  # in place of who would choose
                "--disable-features=WebRtcHideLocalIpsWithMdns",
                "--mute-audio",
                *self._args,
            ],
        )
        self._open.append(browser)
        context = browser.new_context(
            viewport={"width": 1366, "height": 768}, locale="vi-VN", ignore_https_errors=True
        )
        context.grant_permissions(["camera", "microphone"])
        page = context.new_page()
        page.set_default_timeout(LIMIT_S * 1000)
        # A ward that only listens has its buttons below the screen: as a person does, press a key first.
        page.add_locator_handler(
            page.locator('.site[data-quiet="true"]'), lambda: page.keyboard.press("Shift")
        )
        page.add_init_script(PEERS)
        page.goto(url)
        return Window(page)

    def close(self) -> None:
        """End every browser."""
        while self._open:
            self._open.pop().close()


@contextmanager
def browsers(folder: Path, wrap: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Browsers]:
    """A place to open windows from; see :class:`Browsers`."""
    with sync_playwright() as playwright:
        opened = Browsers(playwright, folder, wrap, args)
        try:
            yield opened
        finally:
            opened.close()
