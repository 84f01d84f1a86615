/** Cameras, microphones and speakers of this machine, and why one cannot be used. */

export type DeviceKind = "camera" | "microphone";

/** `insecure`: the page is not https; `none`: no such device; `busy`: another program has it. */
export type DeviceProblem = "insecure" | "denied" | "none" | "busy";

export interface Opened {
  readonly track: MediaStreamTrack | null;
  readonly problem: DeviceProblem | null;
}

export interface Choice {
  readonly camera: string | null;
  readonly microphone: string | null;
  readonly speaker: string | null;
}

const CHOICE_KEY = "diemcau.devices";

/** Three layers need at least 960×540; 720p is asked for, a camera gives what it can. */
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } } as const;
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true } as const;

export function rememberedChoice(): Choice {
  try {
    const kept = JSON.parse(localStorage.getItem(CHOICE_KEY) ?? "{}") as Partial<Choice>;
    return { camera: kept.camera ?? null, microphone: kept.microphone ?? null, speaker: kept.speaker ?? null };
  } catch {
    return { camera: null, microphone: null, speaker: null };
  }
}

export function rememberChoice(choice: Choice): void {
  localStorage.setItem(CHOICE_KEY, JSON.stringify(choice));
}

function constraints(kind: DeviceKind, id: string | null): MediaTrackConstraints {
  const device = id === null ? {} : { deviceId: { ideal: id } };
  return kind === "camera" ? { ...PICTURE, ...device } : { ...SOUND, ...device };
}

export async function open(kind: DeviceKind, id: string | null): Promise<Opened> {
  if (!window.isSecureContext || navigator.mediaDevices === undefined) return { track: null, problem: "insecure" };
  const wanted = constraints(kind, id);
  try {
    const stream = await navigator.mediaDevices.getUserMedia(
      kind === "camera" ? { video: wanted } : { audio: wanted },
    );
    return { track: stream.getTracks()[0] ?? null, problem: null };
  } catch (error) {
    return { track: null, problem: problemOf(error) };
  }
}

/** Both with one question to the person; each alone where one of them fails. */
export async function openBoth(choice: Choice): Promise<{ readonly camera: Opened; readonly microphone: Opened }> {
  if (!window.isSecureContext || navigator.mediaDevices === undefined) {
    const insecure: Opened = { track: null, problem: "insecure" };
    return { camera: insecure, microphone: insecure };
  }
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      video: constraints("camera", choice.camera),
      audio: constraints("microphone", choice.microphone),
    });
    return {
      camera: { track: stream.getVideoTracks()[0] ?? null, problem: null },
      microphone: { track: stream.getAudioTracks()[0] ?? null, problem: null },
    };
  } catch {
    return { camera: await open("camera", choice.camera), microphone: await open("microphone", choice.microphone) };
  }
}

function problemOf(error: unknown): DeviceProblem {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "none";
}

export interface Listed {
  readonly id: string;
  readonly label: string;
}

export async function list(): Promise<Readonly<Record<"camera" | "microphone" | "speaker", readonly Listed[]>>> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const of = (kind: MediaDeviceKind) =>
    all
      .filter((device) => device.kind === kind && device.deviceId !== "")
      .map(({ deviceId, label }) => ({ id: deviceId, label }));
  return { camera: of("videoinput"), microphone: of("audioinput"), speaker: of("audiooutput") };
}

/** Ask for a window or screen to share; null if the person thought better of it. */
export async function openScreen(): Promise<MediaStreamTrack | null> {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
    return stream.getVideoTracks()[0] ?? null;
  } catch {
    return null;
  }
}

/** How loud a track is, 0…1, asked for as often as one likes. */
export class Meter {
  private readonly context = new AudioContext();
  private readonly analyser = this.context.createAnalyser();
  private readonly samples: Float32Array<ArrayBuffer>;

  constructor(track: MediaStreamTrack) {
    this.analyser.fftSize = 1024;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.context.createMediaStreamSource(new MediaStream([track])).connect(this.analyser);
    void this.context.resume();
  }

  /** −60 dB of full scale and less is 0, 0 dB is 1. */
  level(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const sample of this.samples) sum += sample * sample;
    const db = 10 * Math.log10(sum / this.samples.length + 1e-12);
    return Math.min(1, Math.max(0, (db + 60) / 60));
  }

  close(): void {
    void this.context.close();
  }
}

/** Two clear notes from the chosen speaker; resolves when they have sounded. */
export async function playTestTone(speaker: string | null): Promise<void> {
  const context = new AudioContext();
  await context.resume();
  const out = context.createMediaStreamDestination();
  const start = context.currentTime + 0.05;
  for (const [i, hz] of [523.25, 659.25, 783.99].entries()) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    const at = start + i * 0.35;
    tone.frequency.value = hz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.35, at + 0.03);
    gain.gain.setValueAtTime(0.35, at + 0.26);
    gain.gain.linearRampToValueAtTime(0, at + 0.34);
    tone.connect(gain).connect(out);
    tone.start(at);
    tone.stop(at + 0.35);
  }
  const element = new Audio();
  element.srcObject = out.stream;
  if (speaker !== null && "setSinkId" in element) await element.setSinkId(speaker).catch(() => undefined);
  await element.play();
  await new Promise((resolve) => setTimeout(resolve, 1300));
  element.srcObject = null;
  await context.close();
}
