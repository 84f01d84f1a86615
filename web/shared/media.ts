/**
 * Picture and sound of a meeting: what is sent, and the slots that are received.
 *
 * What flows in which slot is switched by the server without a word here. Which layers of the own picture
 * are sent is asked by the server, and is no new offer either.
 */
import { chooseCodecs } from "./codecs";
import { CAMERA_LAYERS, Encoder, SCREEN_LAYERS, type Wanted } from "./encodings";
import { Peering, type MediaState } from "./peering";
import type { Answer, Layers } from "./wire";

export type VideoSlot = "main" | "content" | "tile-1" | "tile-2" | "tile-3" | "tile-4";
export type AudioSlot = "audio-1" | "audio-2" | "audio-3";

export const AUDIO_SLOTS: readonly AudioSlot[] = ["audio-1", "audio-2", "audio-3"];

const AUDIO_RECEIVERS = 3;
const VIDEO_RECEIVERS = 6;

interface Senders {
  readonly microphone: RTCRtpSender;
  readonly camera: Encoder;
  readonly screen: Encoder;
}

export interface MediaOptions {
  readonly offer: (sdp: string) => Promise<Answer>;
  readonly restart: (sdp: string) => Promise<Answer>;
  readonly onState: (state: MediaState) => void;
}

export class Media {
  readonly peering: Peering;
  private readonly senders = new WeakMap<RTCPeerConnection, Senders>();
  private microphone: MediaStreamTrack | null = null;
  private camera: MediaStreamTrack | null = null;
  private screen: MediaStreamTrack | null = null;
  private wanted: Record<Layers["role"], Wanted> = { camera: null, screen: null };

  constructor(options: MediaOptions) {
    this.peering = new Peering({
      ...options,
      make: () => this.make(),
      onUp: (connection) => void this.senders.get(connection)?.screen.preferDetail(),
    });
  }

  setMicrophone(track: MediaStreamTrack | null): void {
    this.microphone = track;
    for (const { microphone } of this.all()) void microphone.replaceTrack(track);
  }

  setCamera(track: MediaStreamTrack | null): void {
    this.camera = track;
    for (const { camera } of this.all()) void camera.sender.replaceTrack(track);
  }

  setScreen(track: MediaStreamTrack | null): void {
    this.screen = track;
    if (track !== null) track.contentHint = "detail";
    for (const { screen } of this.all()) void screen.sender.replaceTrack(track);
  }

  /** Somebody watches these layers: send them and no other. */
  sendLayers(role: Layers["role"], wanted: Wanted): void {
    this.wanted[role] = wanted;
    for (const senders of this.all()) void senders[role].send(wanted);
  }

  private all(): Senders[] {
    return this.peering.connections().flatMap((connection) => this.senders.get(connection) ?? []);
  }

  private make(): RTCPeerConnection {
    const connection = new RTCPeerConnection(this.peering.configuration());
    const send = (sendEncodings: RTCRtpEncodingParameters[]) =>
      chooseCodecs(connection.addTransceiver("video", { direction: "sendonly", sendEncodings })).sender;
    const microphone = connection.addTransceiver("audio", { direction: "sendonly" }).sender;
    const camera = new Encoder(send(CAMERA_LAYERS));
    const screen = new Encoder(send(SCREEN_LAYERS));
    for (let i = 0; i < AUDIO_RECEIVERS; i++) connection.addTransceiver("audio", { direction: "recvonly" });
    for (let i = 0; i < VIDEO_RECEIVERS; i++) chooseCodecs(connection.addTransceiver("video", { direction: "recvonly" }));
    // Track-less at first, so that the order of the sections is the same with and without devices.
    void microphone.replaceTrack(this.microphone);
    void camera.sender.replaceTrack(this.camera);
    void screen.sender.replaceTrack(this.screen);
    this.senders.set(connection, { microphone, camera, screen });
    // The server begins anew as well: it knows of this connection only what it will see.
    this.wanted = { camera: null, screen: null };
    return connection;
  }
}
