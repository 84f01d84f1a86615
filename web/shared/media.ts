/**
 * Picture and sound: one peer connection, one offer and one answer for its whole life.
 *
 * What flows in which slot is switched by the server without a word here. A connection that dies is not
 * mended but replaced; the old one keeps showing until the new one is up.
 */
import { backoff_s } from "./line";
import { codeOf } from "./problem";
import type { Answer } from "./wire";

export type VideoSlot = "main" | "content" | "tile-1" | "tile-2" | "tile-3" | "tile-4";
export type AudioSlot = "audio-1" | "audio-2" | "audio-3";
export type SlotName = VideoSlot | AudioSlot;

export const AUDIO_SLOTS: readonly AudioSlot[] = ["audio-1", "audio-2", "audio-3"];

/** Lowest first: the layers that come depend on the size of the capture, and the last one is dropped first. */
const CAMERA_LAYERS: RTCRtpEncodingParameters[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 2_000_000 },
];
const SCREEN_MAX_BPS = 2_500_000;
const SCREEN_MAX_HZ = 15;
const AUDIO_RECEIVERS = 3;
const VIDEO_RECEIVERS = 6;
const CODECS = ["video/vp8", "video/h264", "video/rtx"]; // in the order of our liking

const UP_WITHIN_MS = 10_000;
const MAY_BE_DISCONNECTED_MS = 4_000;

export interface MediaState {
  readonly status: "off" | "connecting" | "up" | "lost";
  readonly tracks: Readonly<Partial<Record<SlotName, MediaStreamTrack>>>;
}

export const NO_MEDIA: MediaState = { status: "off", tracks: {} };

interface Peer {
  readonly connection: RTCPeerConnection;
  readonly microphone: RTCRtpSender;
  readonly camera: RTCRtpSender;
  readonly screen: RTCRtpSender;
}

export interface MediaOptions {
  readonly offer: (sdp: string) => Promise<Answer>;
  readonly onState: (state: MediaState) => void;
}

export class Media {
  private state = NO_MEDIA;
  private peer: Peer | null = null; // the one that shows
  private coming: Peer | null = null; // the one that is being set up
  private microphone: MediaStreamTrack | null = null;
  private camera: MediaStreamTrack | null = null;
  private screen: MediaStreamTrack | null = null;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = true;

  constructor(private readonly options: MediaOptions) {}

  /** Offer a new connection, at once or after the wait; replaces the one there is. */
  renew(after_ms = 0): void {
    this.stopped = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.negotiate(), after_ms);
  }

  /** The line is gone: no offer can be made until `renew`. What flows may go on. */
  pause(): void {
    clearTimeout(this.timer);
    this.close(this.coming);
    this.coming = null;
  }

  stop(): void {
    this.stopped = true;
    this.pause();
    this.close(this.peer);
    this.peer = null;
    this.tell({ status: "off", tracks: {} });
  }

  setMicrophone(track: MediaStreamTrack | null): void {
    this.microphone = track;
    for (const peer of this.peers()) void peer.microphone.replaceTrack(track);
  }

  setCamera(track: MediaStreamTrack | null): void {
    this.camera = track;
    for (const peer of this.peers()) void peer.camera.replaceTrack(track);
  }

  setScreen(track: MediaStreamTrack | null): void {
    this.screen = track;
    if (track !== null) track.contentHint = "detail";
    for (const peer of this.peers()) void peer.screen.replaceTrack(track);
  }

  private peers(): Peer[] {
    return [this.peer, this.coming].filter((peer) => peer !== null);
  }

  private tell(state: MediaState): void {
    this.state = state;
    this.options.onState(state);
  }

  private async negotiate(): Promise<void> {
    if (this.stopped) return;
    this.pause();
    const peer = this.make();
    this.coming = peer;
    if (this.state.status !== "up") this.tell({ ...this.state, status: "connecting" });
    try {
      await peer.connection.setLocalDescription(await peer.connection.createOffer());
      const answer = await this.options.offer(peer.connection.localDescription?.sdp ?? "");
      if (this.coming !== peer) return;
      await peer.connection.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      if (this.coming !== peer) return;
      this.watch(peer, answer.slots);
    } catch (error) {
      if (this.coming !== peer) return;
      this.close(peer);
      this.coming = null;
      if (this.state.status !== "up") this.tell({ ...this.state, status: "lost" });
      // Without a line the room calls again when it is back. An offer that was refused will be refused again.
      const code = codeOf(error);
      if (code !== "offline") this.renew(code === "bad-offer" ? 30_000 : backoff_s(this.tries++) * 1000);
    }
  }

  private make(): Peer {
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const microphone = connection.addTransceiver("audio", { direction: "sendonly" }).sender;
    const camera = video(connection, { direction: "sendonly", sendEncodings: CAMERA_LAYERS }).sender;
    const screen = video(connection, {
      direction: "sendonly",
      sendEncodings: [{ maxBitrate: SCREEN_MAX_BPS, maxFramerate: SCREEN_MAX_HZ }],
    }).sender;
    for (let i = 0; i < AUDIO_RECEIVERS; i++) connection.addTransceiver("audio", { direction: "recvonly" });
    for (let i = 0; i < VIDEO_RECEIVERS; i++) video(connection, { direction: "recvonly" });
    // Track-less at first, so that the order of the sections is the same with and without devices.
    void microphone.replaceTrack(this.microphone);
    void camera.replaceTrack(this.camera);
    void screen.replaceTrack(this.screen);
    return { connection, microphone, camera, screen };
  }

  private watch(peer: Peer, slots: Answer["slots"]): void {
    const { connection } = peer;
    const tracks: Record<string, MediaStreamTrack> = {};
    for (const { mid, receiver } of connection.getTransceivers()) {
      const slot = mid === null ? undefined : slots[mid];
      if (slot !== undefined) tracks[slot] = receiver.track;
    }
    this.timer = setTimeout(() => this.dead(peer), UP_WITHIN_MS);
    const look = () => {
      switch (connection.connectionState) {
        case "connected":
          clearTimeout(this.timer);
          this.tries = 0;
          if (this.coming === peer) {
            this.close(this.peer);
            this.peer = peer;
            this.coming = null;
          }
          void preferDetail(peer.screen);
          return this.tell({ status: "up", tracks });
        case "disconnected":
          clearTimeout(this.timer);
          this.timer = setTimeout(() => this.dead(peer), MAY_BE_DISCONNECTED_MS);
          return;
        case "failed":
        case "closed":
          return this.dead(peer);
        default:
          return;
      }
    };
    connection.onconnectionstatechange = look;
    look();
  }

  private dead(peer: Peer): void {
    if (peer !== this.peer && peer !== this.coming) return;
    this.close(peer);
    if (peer === this.coming) this.coming = null;
    if (peer === this.peer) this.peer = null;
    if (this.peer === null) this.tell({ status: "lost", tracks: {} });
    this.renew(backoff_s(this.tries++) * 1000);
  }

  private close(peer: Peer | null): void {
    if (peer === null) return;
    peer.connection.onconnectionstatechange = null;
    peer.connection.close();
  }
}

function video(connection: RTCPeerConnection, init: RTCRtpTransceiverInit): RTCRtpTransceiver {
  const transceiver = connection.addTransceiver("video", init);
  const known = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const liked = CODECS.flatMap((type) => known.filter((codec) => codec.mimeType.toLowerCase() === type));
  if (liked.length > 0 && "setCodecPreferences" in transceiver) transceiver.setCodecPreferences(liked);
  return transceiver;
}

/** Text on a shared screen must stay legible: give up frames before sharpness. */
async function preferDetail(sender: RTCRtpSender): Promise<void> {
  const parameters = sender.getParameters() as RTCRtpSendParameters & { degradationPreference?: string };
  parameters.degradationPreference = "maintain-resolution";
  try {
    await sender.setParameters(parameters);
  } catch {
    // Firefox has its own way; the content hint says the same.
  }
}
