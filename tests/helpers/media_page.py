"""The smallest page that joins a media engine, served on loopback with the engine behind it.

Offers what a site's page offers. Slots are drawn in elements marked ``data-slot``, so that
:mod:`tests.helpers.browser` can look at them and listen.
"""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, TypeVar

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import EngineEvent
from room_manager.media.sfu.driver import SfuEngine, SfuSettings

ROOM: Final = RoomId("phong")
T = TypeVar("T")

PAGE: Final = """<!doctype html><meta charset="utf-8"><title>slots</title><div id="slots"></div><script>
let renegotiations = 0, joined = false, pc, screenSender;
const VIDEO = 6, AUDIO = 3;
async function join(site) {
  const media = await navigator.mediaDevices.getUserMedia({
    audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false},
    video: {width: 960, height: 540}});
  pc = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  pc.onnegotiationneeded = () => { if (joined) renegotiations++; };
  pc.addTransceiver(media.getAudioTracks()[0], {direction: "sendonly"});
  pc.addTransceiver(media.getVideoTracks()[0], {direction: "sendonly", sendEncodings: [
    {rid: "q", scaleResolutionDownBy: 4, maxBitrate: 120e3},
    {rid: "h", scaleResolutionDownBy: 2, maxBitrate: 400e3},
    {rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1200e3}]});
  screenSender = pc.addTransceiver("video", {direction: "sendonly"}).sender;
  for (let i = 0; i < AUDIO; i++) pc.addTransceiver("audio", {direction: "recvonly"});
  for (let i = 0; i < VIDEO; i++) pc.addTransceiver("video", {direction: "recvonly"});
  await pc.setLocalDescription();
  const body = JSON.stringify({site, sdp: pc.localDescription.sdp});
  const response = await fetch("/join", {method: "POST", body});
  const answer = await response.json();
  if (answer.error) throw new Error(answer.error);
  await pc.setRemoteDescription({type: "answer", sdp: answer.sdp});
  joined = true;
  for (const transceiver of pc.getTransceivers()) {
    const slot = answer.slots[transceiver.mid];
    if (!slot) continue;
    const player = document.createElement(transceiver.receiver.track.kind);
    player.autoplay = true;
    player.muted = player.tagName === "VIDEO";
    player.dataset.slot = slot;
    player.width = 160;
    player.srcObject = new MediaStream([transceiver.receiver.track]);
    document.getElementById("slots").append(player);
  }
  return answer.sdp;
}
async function share(colour) {
  const canvas = Object.assign(document.createElement("canvas"), {width: 640, height: 360});
  const pen = canvas.getContext("2d");
  let n = 0;
  setInterval(() => { pen.fillStyle = colour; pen.fillRect(0, 0, 640, 360);
                      pen.fillStyle = "white"; pen.fillRect(n++ % 600, 0, 8, 8); }, 100);
  await screenSender.replaceTrack(canvas.captureStream(10).getVideoTracks()[0]);
}
async function inbound() {
  const found = {};
  for (const report of (await pc.getStats()).values())
    if (report.type === "inbound-rtp") found[report.mid] = {
      kind: report.kind, width: report.frameWidth ?? 0,
      packets: report.packetsReceived, lost: report.packetsLost,
      frames: report.framesDecoded ?? 0, nacks: report.nackCount ?? 0, plis: report.pliCount ?? 0,
      energy: report.totalAudioEnergy ?? 0, dropped: report.framesDropped ?? 0};
  return found;
}
async function repaired() {
  let sent = 0;
  for (const report of (await pc.getStats()).values())
    if (report.type === "outbound-rtp") sent += report.retransmittedPacketsSent ?? 0;
  return sent;
}
async function layers() {  // widths the encoder gives now, the largest last; fewer on a busy machine
  const found = [];
  for (const report of (await pc.getStats()).values())
    if (report.type === "outbound-rtp" && report.rid && report.active && report.framesPerSecond > 0)
      found.push([report.frameWidth, report.rid]);
  return found.sort((a, b) => a[0] - b[0]);
}
function setLayer(rid, active) {
  const sender = pc.getTransceivers()[1].sender, parameters = sender.getParameters();
  parameters.encodings.find((encoding) => encoding.rid === rid).active = active;
  return sender.setParameters(parameters);
}
const width = (slot) => document.querySelector(`[data-slot="${slot}"]`)?.videoWidth ?? 0;
</script>"""


class MediaStand:
    """An engine on a loop of its own, with the page in front of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, engine: SfuEngine) -> None:
        self._loop = loop
        self.engine = engine
        self.events: list[EngineEvent] = []
        self.url = ""
        self.through: int | None = None  # a relay's port that clients are told in place of the engine's
        self._joins = 0

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run on the engine's loop and wait for the result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def join(self, site: str, offer: str) -> dict[str, object]:
        """What the page's POST does."""
        self._joins += 1
        connection = ConnectionId(f"{site}-{self._joins}")
        answer = self.do(self.engine.join(ROOM, connection, SiteId(site), offer))
        text = answer.sdp
        if self.through is not None:
            text = text.replace(f" {self.engine.port} ", f" {self.through} ")
        return {"sdp": text, "slots": answer.slots}

    async def listen(self) -> None:
        """Keep what the engine tells."""
        async for event in self.engine.events():
            self.events.append(event)


@contextmanager
def media_stand() -> Iterator[MediaStand]:
    """Engine, page and all, gone at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stand = MediaStand(loop, SfuEngine(SfuSettings()))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stand))
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    try:
        stand.do(stand.engine.start())
        listening = asyncio.run_coroutine_threadsafe(stand.listen(), loop)
        stand.url = f"http://127.0.0.1:{server.server_port}/"
        serving.start()
        try:
            yield stand
        finally:
            stand.do(stand.engine.close())
            listening.result(10)
    finally:
        if serving.is_alive():
            server.shutdown()
        server.server_close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _handler(stand: MediaStand) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say("text/html", PAGE.encode())

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                said: dict[str, object] = stand.join(asked["site"], asked["sdp"])
            except Exception as error:
                said = {"error": repr(error)}
            self._say("application/json", json.dumps(said).encode())

        def _say(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
