"""GStreamer's webrtcbin as an encoder and as a player: run by the Python that Debian's GStreamer belongs to.

``python3 gstreamer_client.py publish|watch URL TOKEN …``: an encoder says ``up`` and sends until its standard
input ends; a player prints what it has decoded as one line of JSON. Knows nothing of this project.
"""

import argparse
import json
import ssl
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

LIMIT_S = 40.0
FRAMES = 15
SOUNDS = 40
LOUD = 2_000

ENCODERS = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay pt=96 picture-id-mode=15-bit",
    "H264": "openh264enc complexity=low gop-size=30 ! video/x-h264,profile=constrained-baseline ! "
    "h264parse ! rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency",
}
DECODERS = {
    "VP8": "rtpvp8depay ! vp8dec ! videoconvert",
    "H264": "rtph264depay ! h264parse ! openh264dec ! videoconvert",
    "OPUS": "rtpopusdepay ! opusdec ! audioconvert",
}
CAPS = {
    "VP8": "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96",
    "H264": "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96,"
    "packetization-mode=(string)1",
}
BASELINE = ",profile-level-id=(string)42e01f"
OPUS = (
    "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=97"
)
FEEDBACK = ",rtcp-fb-nack=(boolean)true,rtcp-fb-nack-pli=(boolean)true"

PUBLISHES = """
webrtcbin name=peer bundle-policy=max-bundle
videotestsrc is-live=true pattern=solid-color foreground-color={colour} !
  video/x-raw,width=320,height=180,framerate=15/1 ! videoconvert ! {encoder} ! {video}{feedback} !
  queue ! peer.
audiotestsrc is-live=true freq={tone} volume=0.4 ! audioconvert ! audioresample ! opusenc ! rtpopuspay pt=97 !
  {opus} ! queue ! peer.
"""


class Client:
    """One peer connection."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.session = ""
        self.failed = ""
        self.up = threading.Event()
        self.over = threading.Event()
        self.colour: list[int] = []
        self.frames = self.width = self.sounds = 0
        if asked.what == "publish":
            colour = "0xff" + asked.rgb
            self.pipeline = Gst.parse_launch(
                PUBLISHES.format(
                    colour=int(colour, 16),
                    encoder=ENCODERS[asked.codec],
                    video=CAPS[asked.codec],
                    feedback=FEEDBACK,
                    tone=asked.tone,
                    opus=OPUS,
                )
            )
        else:
            self.pipeline = Gst.Pipeline.new()
            peer = Gst.ElementFactory.make("webrtcbin", "peer")
            peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(peer)
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("on-negotiation-needed", self._offer)
        self.peer.connect("notify::ice-gathering-state", self._gathered)
        self.peer.connect("notify::connection-state", self._changed)
        self.peer.connect("pad-added", self._play)
        if asked.what == "watch":
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            for caps in (OPUS, CAPS[asked.codec] + (BASELINE if asked.codec == "H264" else "") + FEEDBACK):
                self.peer.emit("add-transceiver", direction, Gst.Caps.from_string(caps))

    def start(self) -> None:
        self.pipeline.set_state(Gst.State.PLAYING)

    def close(self) -> None:
        if self.session:
            try:
                self._ask("DELETE", self.session)
            except urllib.error.HTTPError as error:
                self.failed = self.failed or f"DELETE was refused: {error.code}"
        self.pipeline.set_state(Gst.State.NULL)

    def fail(self, why: str) -> None:
        self.failed = self.failed or why
        self.up.set()
        self.over.set()

    # --- WHIP and WHEP ---

    def _offer(self, peer: Any) -> None:
        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def _offered(self, promise: Any) -> None:
        reply = promise.get_reply()  # owns the offer
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())

    def _gathered(self, peer: Any, _: Any) -> None:
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            threading.Thread(target=self._post, daemon=True).start()

    def _post(self) -> None:
        offer = self.peer.get_property("local-description").sdp.as_text()
        if self.asked.verbose:
            print(offer, file=sys.stderr)
        try:
            answered = self._ask("POST", self.asked.url, offer.encode())
        except urllib.error.HTTPError as error:
            self.fail(f"refused: {error.code} {error.read().decode()} {offer}")
            return
        self.session = urllib.parse.urljoin(self.asked.url, answered.headers["location"])
        text = answered.read()
        if self.asked.verbose:
            print(text.decode(), file=sys.stderr)
        _, message = GstSdp.SDPMessage.new_from_text(text.decode())
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.peer.emit("set-remote-description", answer, Gst.Promise.new())

    def _ask(self, method: str, url: str, body: "bytes | None" = None) -> Any:
        headers = {"authorization": f"Bearer {self.asked.token}"}
        if body is not None:
            headers["content-type"] = "application/sdp"
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # one made for the test
        request = urllib.request.Request(url, body, headers, method=method)
        return urllib.request.urlopen(request, timeout=LIMIT_S, context=context)

    def _changed(self, peer: Any, _: Any) -> None:
        state = peer.get_property("connection-state")
        if state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            self.up.set()
        elif state == GstWebRTC.WebRTCPeerConnectionState.FAILED:
            self.fail("the connection failed")

    # --- what is seen and heard ---

    def _play(self, _: Any, pad: Any) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        video = pad.get_current_caps().get_structure(0).get_value("media") == "video"
        wanted = "video/x-raw,format=RGB" if video else "audio/x-raw,format=S16LE,channels=1"
        decodes = DECODERS[self.asked.codec if video else "OPUS"]
        part = Gst.parse_bin_from_description(
            f"queue ! {decodes} ! {wanted} ! appsink name=sink emit-signals=true sync=false", True
        )
        part.get_by_name("sink").connect("new-sample", self._seen if video else self._heard)
        self.pipeline.add(part)
        part.sync_state_with_parent()
        pad.link(part.get_static_pad("sink"))

    def _seen(self, sink: Any) -> Any:
        sample = sink.emit("pull-sample")
        caps = sample.get_caps().get_structure(0)
        self.width, height = caps.get_value("width"), caps.get_value("height")
        buffer = sample.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        at = len(data) // height * (height // 2) + 3 * (self.width // 2)
        self.colour = list(data[at : at + 3])
        self.frames += sum(self.colour) > 100
        self._perhaps_over()
        return Gst.FlowReturn.OK

    def _heard(self, sink: Any) -> Any:
        buffer = sink.emit("pull-sample").get_buffer()
        samples = memoryview(buffer.extract_dup(0, buffer.get_size())).cast("h")
        self.sounds += len(samples) > 0 and max(samples) > LOUD
        self._perhaps_over()
        return Gst.FlowReturn.OK

    def _perhaps_over(self) -> None:
        if self.frames >= FRAMES and self.sounds >= SOUNDS:
            self.over.set()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["publish", "watch"])
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--rgb", default="dc1e1e")
    parser.add_argument("--tone", type=int, default=440)
    parser.add_argument("--codec", choices=list(ENCODERS), default="VP8")
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    Gst.init(None)
    client = Client(asked)
    client.start()
    if not client.up.wait(LIMIT_S):
        client.fail("no connection in time")
    if asked.what == "publish" and not client.failed:
        print("up", flush=True)
        sys.stdin.read()
    elif not client.failed and not client.over.wait(LIMIT_S):
        client.fail(f"{client.frames} frames and {client.sounds} sounds in {LIMIT_S} s")
    client.close()
    if client.failed:
        sys.exit(client.failed)
    if asked.what == "watch":
        print(
            json.dumps(
                {
                    "rgb": client.colour,
                    "frames": client.frames,
                    "width": client.width,
                    "sounds": client.sounds,
                    "version": Gst.version_string(),
                }
            )
        )


if __name__ == "__main__":
    main()
