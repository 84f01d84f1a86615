/** What a browser knows of the room's machine. What it cannot know is null, never made up. */
import type { Camera, Facts } from "../shared/device-wire";

const LOOK_EVERY_MS = 30 * 60_000;
const LOOK_FOR_MS = 2_500;
const WIDTH = 64;
const HEIGHT = 36;
const STILL = 0.4; // mean difference of two frames, grey levels; a real sensor's noise is above it
const KEPT = 20;

export interface Look {
  /** Null: not looked through yet, or the page may not. */
  readonly camera: Camera | null;
  readonly microphone_share: number | null;
}

export class Senses {
  private look: Look = { camera: null, microphone_share: null };
  private painted_at = performance.now();
  private readonly trips: number[] = [];
  private readonly answered: boolean[] = [];
  private stopped = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    const paint = () => {
      this.painted_at = performance.now();
      if (!this.stopped) requestAnimationFrame(paint);
    };
    requestAnimationFrame(paint);
    const again = () => {
      void this.lookAround();
      this.timer = setTimeout(again, LOOK_EVERY_MS);
    };
    again();
    navigator.mediaDevices?.addEventListener("devicechange", this.changed);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    navigator.mediaDevices?.removeEventListener("devicechange", this.changed);
  }

  /** A beat was answered after so long, or (null) was not. */
  note(trip_ms: number | null): void {
    this.answered.push(trip_ms !== null);
    if (this.answered.length > KEPT) this.answered.shift();
    if (trip_ms === null) return;
    this.trips.push(trip_ms);
    if (this.trips.length > 5) this.trips.shift();
  }

  /** Median of the last round trips, milliseconds. */
  rtt_ms(): number | null {
    const sorted = [...this.trips].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? null;
  }

  facts(outbox: number, agent: string): Facts {
    const visible = document.visibilityState === "visible";
    const frame_age_s = (performance.now() - this.painted_at) / 1000;
    return {
      versions: { agent, content: "", configuration: "" },
      disk: null,
      load: null,
      network: {
        rtt_ms: this.rtt_ms(),
        loss_share: this.answered.length === 0 ? null : this.answered.filter((yes) => !yes).length / this.answered.length,
        kind: lineKind(),
      },
      clock: "synced", // times are told by the city's clock, which each answer brings
      painted: visible ? { frame_age_s, changed_age_s: null, page: "bridge", on: null } : null,
      touch_ok: null,
      camera: this.look.camera,
      microphone_share: this.look.microphone_share,
      printer: null,
      in_session: false,
      outbox_depth: outbox,
      out_of_service: false,
      restarts: 0,
    };
  }

  /** Opens camera and microphone for a moment, looks, listens, and lets go. No picture is kept. */
  async lookAround(): Promise<Look> {
    this.look = await lookOnce();
    return this.look;
  }

  /** One was plugged in or taken away: known at once, without opening anything. */
  private readonly changed = () => {
    void has("videoinput").then((there) => {
      if (!there) this.look = { ...this.look, camera: { state: "none", moving: null, sharpness: null, brightness: null } };
      else if (this.look.camera === null || this.look.camera.state === "none") void this.lookAround();
    });
  };
}

async function has(kind: MediaDeviceKind): Promise<boolean> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return all.some((one) => one.kind === kind);
}

function lineKind(): Facts["network"]["kind"] {
  const type = (navigator as { connection?: { type?: string } }).connection?.type;
  return type === "ethernet" ? "wired" : type === "wifi" ? "wireless" : type === "cellular" ? "mobile" : "unknown";
}

async function lookOnce(): Promise<Look> {
  const [camera, microphone_share] = await Promise.all([lookThrough(), listen()]);
  return { camera, microphone_share };
}

async function lookThrough(): Promise<Camera | null> {
  const bare = { moving: null, sharpness: null, brightness: null };
  if (!(await has("videoinput"))) return { state: "none", ...bare };
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name === "NotAllowedError") return null;
    return { state: name === "NotReadableError" ? "busy" : "failed", ...bare };
  }
  const video = document.createElement("video");
  try {
    video.muted = true;
    video.srcObject = stream;
    await video.play();
    const first = await greys(video, LOOK_FOR_MS / 2);
    const second = await greys(video, LOOK_FOR_MS / 2);
    const difference = first.reduce((sum, grey, i) => sum + Math.abs(grey - (second[i] ?? 0)), 0) / first.length;
    const brightness = second.reduce((sum, grey) => sum + grey, 0) / second.length / 255;
    const moving = difference > STILL;
    return { state: brightness < 0.02 ? "dark" : moving ? "ok" : "frozen", moving, sharpness: null, brightness };
  } catch {
    return { state: "failed", ...bare };
  } finally {
    video.srcObject = null;
    for (const track of stream.getTracks()) track.stop();
  }
}

async function greys(video: HTMLVideoElement, after_ms: number): Promise<readonly number[]> {
  await wait(after_ms);
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (pen === null) throw new Error("no canvas");
  pen.drawImage(video, 0, 0, WIDTH, HEIGHT);
  const { data } = pen.getImageData(0, 0, WIDTH, HEIGHT);
  return Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const [red, green, blue] = [data[4 * i] ?? 0, data[4 * i + 1] ?? 0, data[4 * i + 2] ?? 0];
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
}

/** The loudest moment of a second, of full scale; null: no microphone, or it may not be heard. */
async function listen(): Promise<number | null> {
  if (!(await has("audioinput"))) return null;
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    return null;
  }
  const context = new AudioContext();
  try {
    const ear = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(ear);
    const samples = new Float32Array(ear.fftSize);
    let loudest = 0;
    for (let i = 0; i < 10; i += 1) {
      await wait(100);
      ear.getFloatTimeDomainData(samples);
      for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
    }
    return context.state === "running" ? Math.min(1, loudest) : null;
  } finally {
    void context.close();
    for (const track of stream.getTracks()) track.stop();
  }
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
