"""aiortc as an encoder and as a player, as a process of its own so that it can run inside a namespace.

``python -m tests.interop.aiortc_client publish|watch URL TOKEN …``: an encoder says ``up`` and sends until
its standard input ends; a player prints what it has decoded as one line of JSON.
"""

import argparse
import asyncio
import fractions
import json
import math
import ssl
import sys
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urljoin

import aioice.ice
import httpx
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame

from tests.helpers.pictures import COLOURS, RATE_HZ, nearest, yuv

LIMIT_S: Final = 40.0
FRAMES: Final = 15
SOUNDS: Final = 40  # frames of 20 ms
TONES: Final = (330, 440, 550, 660, 880)
SAMPLES: Final = 960
WIDTH_PX, HEIGHT_PX, FRAMES_HZ = 320, 180, 15


class Colour(MediaStreamTrack):
    """A camera that sees one colour and a square that moves."""

    kind = "video"

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._planes = yuv(COLOURS[colour])
        self._count = 0
        self._began = time.monotonic()

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(max(0.0, self._began + self._count / FRAMES_HZ - time.monotonic()))
        frame = VideoFrame(WIDTH_PX, HEIGHT_PX, "yuv420p")
        for plane, value in zip(frame.planes, self._planes, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        luma = bytearray(frame.planes[0])
        at = 8 * frame.planes[0].line_size + 8 * (self._count % 30)
        luma[at : at + 8] = bytes(8)
        frame.planes[0].update(bytes(luma))
        frame.pts, frame.time_base = self._count * 90_000 // FRAMES_HZ, fractions.Fraction(1, 90_000)
        self._count += 1
        return frame


class Tone(MediaStreamTrack):
    """A microphone that hears one tone."""

    kind = "audio"

    def __init__(self, tone_hz: int, volume: int) -> None:
        super().__init__()
        self._tone_hz = tone_hz
        self._volume = volume
        self._at = 0
        self._began = time.monotonic()

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(max(0.0, self._began + self._at / RATE_HZ - time.monotonic()))
        step = 2 * math.pi * self._tone_hz / RATE_HZ
        samples = (int(self._volume * math.sin(step * n)) for n in range(self._at, self._at + SAMPLES))
        frame = AudioFrame("s16", "mono", SAMPLES)
        frame.planes[0].update(b"".join(s.to_bytes(2, "little", signed=True) for s in samples))
        frame.sample_rate, frame.pts = RATE_HZ, self._at
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self._at += SAMPLES
        return frame


async def publish(pc: RTCPeerConnection, asked: argparse.Namespace, http: httpx.AsyncClient) -> None:
    """Send until standard input ends."""
    pc.addTransceiver(Tone(asked.tone, asked.volume), direction="sendonly")
    video = pc.addTransceiver(Colour(asked.colour), direction="sendonly")
    if asked.codec:
        known = RTCRtpSender.getCapabilities("video").codecs
        video.setCodecPreferences([c for c in known if c.mimeType.lower() == f"video/{asked.codec}".lower()])
    session = await _begin(pc, asked, http)
    print("up", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await _end(session, asked, http)


async def watch(pc: RTCPeerConnection, asked: argparse.Namespace, http: httpx.AsyncClient) -> None:
    """Tell what is seen and heard."""
    audio = pc.addTransceiver("audio", direction="recvonly")
    video = pc.addTransceiver("video", direction="recvonly")
    session = await _begin(pc, asked, http)
    seen, heard = await asyncio.gather(_see(video.receiver.track), _hear(audio.receiver.track))
    await _end(session, asked, http)
    print(json.dumps({**seen, **heard}), flush=True)


async def _begin(pc: RTCPeerConnection, asked: argparse.Namespace, http: httpx.AsyncClient) -> str:
    await pc.setLocalDescription(await pc.createOffer())
    answered = await http.post(
        asked.url,
        content=pc.localDescription.sdp,
        headers={"content-type": "application/sdp", "authorization": f"Bearer {asked.token}"},
    )
    if answered.status_code != 201:
        raise SystemExit(f"refused: {answered.status_code} {answered.text}")
    up = asyncio.Event()
    pc.on("connectionstatechange", lambda: up.set() if pc.connectionState == "connected" else None)
    await pc.setRemoteDescription(RTCSessionDescription(answered.text, "answer"))
    await up.wait()
    return str(urljoin(asked.url, answered.headers["location"]))


async def _end(session: str, asked: argparse.Namespace, http: httpx.AsyncClient) -> None:
    ended = await http.delete(session, headers={"authorization": f"Bearer {asked.token}"})
    assert ended.status_code == 200, ended.text


async def _see(track: Any) -> dict[str, Any]:
    """Until so many frames of one of our colours have come."""
    frames = 0
    while True:
        frame = await track.recv()
        colour = nearest(_middle(frame))
        frames += colour is not None
        if frames >= FRAMES:
            return {"colour": colour, "frames": frames, "width": frame.width}


def _middle(frame: VideoFrame) -> tuple[int, int, int]:
    small = frame.reformat(width=16, height=16, format="rgb24")
    plane = small.planes[0]
    row = bytes(plane)[8 * plane.line_size : 8 * plane.line_size + 48]
    mean = [sum(row[channel::3]) // 16 for channel in range(3)]
    return mean[0], mean[1], mean[2]


async def _hear(track: Any) -> dict[str, Any]:
    """Until so many frames with a sound in them have come: the loudest tone of the last of them."""
    heard: list[list[int]] = []
    while len(heard) < SOUNDS:
        frame = await track.recv()
        data, step = bytes(frame.planes[0]), 2 * len(frame.layout.channels)
        samples = [
            int.from_bytes(data[at : at + 2], "little", signed=True)
            for at in range(0, frame.samples * step, step)
        ]
        if max(samples) > 2_000:
            heard.append(samples)
    last = [sample for samples in heard[-10:] for sample in samples]
    return {"tone_hz": max(TONES, key=lambda hz: _power(last, hz)), "sounds": len(heard)}


def _power(samples: Sequence[int], tone_hz: int) -> float:
    """How much of one tone is in there (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * tone_hz / RATE_HZ)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    return last * last + before * before - turn * last * before


async def main(asked: argparse.Namespace) -> None:
    if asked.address:
        aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [asked.address]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # one made for the test
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    async with httpx.AsyncClient(verify=context, timeout=LIMIT_S) as http:
        try:
            if asked.what == "publish":
                await publish(pc, asked, http)
            else:
                async with asyncio.timeout(LIMIT_S):
                    await watch(pc, asked, http)
        except MediaStreamError:
            raise SystemExit("the media ended") from None
        finally:
            await pc.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["publish", "watch"])
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--colour", default="red")
    parser.add_argument("--tone", type=int, default=440)
    parser.add_argument("--volume", type=int, default=12_000, help="of 32,767")
    parser.add_argument("--codec")
    parser.add_argument("--address", help="the only one to gather; loopback is left out otherwise")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
