/** One window in one meeting: the line, the media, the own devices, and what is known. */
import * as devices from "../shared/devices";
import { Line, type LineStatus, type Memory, type Unsent } from "../shared/line";
import { Media, NO_MEDIA, type MediaState } from "../shared/media";
import { codeOf, Refused } from "../shared/problem";
import * as rest from "../shared/rest";
import { EMPTY, hear, may, placeInQueue, type RoomState, withRows } from "../shared/state";
import { Store } from "../shared/store";
import type { Answer, DistrictInfo, RosterSite, ServerMessage } from "../shared/wire";

/** The own camera, microphone and shared screen. `…On`: what the person wants. */
export interface Own {
  readonly camera: MediaStreamTrack | null;
  readonly microphone: MediaStreamTrack | null;
  readonly screen: MediaStreamTrack | null;
  readonly cameraOn: boolean;
  readonly microphoneOn: boolean;
}

/** What the person did last, and how to take it back. */
export interface Undoable {
  readonly at_ms: number;
  readonly act: string; // the event's type it led to
  readonly undo: () => Unsent | null;
}

export interface Notice {
  readonly code: string;
  readonly at_ms: number;
}

export interface Roster {
  readonly status: "unasked" | "loading" | "here" | "failed";
  readonly sites: readonly RosterSite[];
  readonly districts: readonly DistrictInfo[];
}

export interface Entry {
  readonly meeting: string;
  readonly ticket: () => Promise<string>;
  readonly memory: Memory;
  readonly remember: (memory: Memory) => void;
  readonly choice: devices.Choice;
  readonly camera: MediaStreamTrack | null;
  readonly microphone: MediaStreamTrack | null;
  /** Nobody has checked the devices: open them once it is known that this member sends. */
  readonly unchecked: boolean;
}

const PLACE_ASKED_WITHIN_MS = 2_000;
const QUEUE_PAGE = 100;
const SHARING = "diemcau.sharing";

export class Room {
  readonly state = new Store<RoomState>(EMPTY);
  readonly line = new Store<LineStatus>({ kind: "connecting" });
  readonly media = new Store<MediaState>(NO_MEDIA);
  readonly own: Store<Own>;
  readonly roster = new Store<Roster>({ status: "unasked", sites: [], districts: [] });
  readonly notice = new Store<Notice | null>(null);
  readonly undoable = new Store<Undoable | null>(null);
  readonly place = new Store<number | null>(null); // the own place in the queue
  readonly handRaised = new Store(false); // the own hand
  readonly soundBlocked = new Store(false);

  private readonly wire: Line;
  private readonly peer: Media;
  private placeTimer: ReturnType<typeof setTimeout> | undefined;
  private toOpen: boolean;
  private stopped = false;

  constructor(readonly entry: Entry) {
    this.toOpen = entry.unchecked;
    this.own = new Store<Own>({
      camera: entry.camera,
      microphone: entry.microphone,
      screen: null,
      cameraOn: entry.camera !== null,
      microphoneOn: entry.microphone !== null,
    });
    this.wire = new Line({
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
      ticket: entry.ticket,
      memory: entry.memory,
      remember: entry.remember,
      onMessage: (message) => this.hear(message),
      onStatus: (status) => this.lineIs(status),
    });
    this.peer = new Media({
      offer: async (sdp) => (await this.wire.ask({ type: "offer", sdp })) as Answer,
      onState: (state) => this.media.set(state),
    });
  }

  start(): void {
    this.peer.setCamera(this.own.get().camera);
    this.peer.setMicrophone(this.own.get().microphone);
    this.watchTracks();
    navigator.mediaDevices?.addEventListener("devicechange", this.devicesChanged);
    this.wire.start();
  }

  /** The page goes away; the site keeps its place for a while. */
  stop(): void {
    this.stopped = true;
    navigator.mediaDevices?.removeEventListener("devicechange", this.devicesChanged);
    clearTimeout(this.placeTimer);
    this.wire.close();
    this.peer.stop();
    const { camera, microphone, screen } = this.own.get();
    for (const track of [camera, microphone, screen]) track?.stop();
  }

  leave(): void {
    this.wire.leave();
  }

  // --- commands ---

  may(command: string): boolean {
    return may(this.state.get(), command);
  }

  /** Links are REST's, for the two roles that the server lets make them. */
  mayMakeLinks(): boolean {
    const role = this.state.get().you?.role;
    return role === "chair" || role === "operator";
  }

  /** What this window shows to REST. Raises `Refused` before it has one. */
  token(): string {
    const token = this.wire.token();
    if (token === null) throw new Refused("offline", "not in the meeting yet");
    return token;
  }

  /** Give a command. A refusal becomes a notice in words; what can be undone can be for some seconds. */
  async do(command: Unsent, undo?: { readonly act: string; readonly undo: () => Unsent | null }): Promise<boolean> {
    try {
      await this.wire.command(command);
    } catch (error) {
      this.notice.set({ code: codeOf(error), at_ms: Date.now() });
      return false;
    }
    this.notice.set(null);
    // Far back in a long queue the sections do not tell of the own hand; the answer does.
    if (command.type === "raise-hand" && command.site == null) this.handRaised.set(true);
    if (command.type === "lower-hand" && command.site == null) this.handRaised.set(false);
    this.undoable.set(undo === undefined ? null : { at_ms: Date.now(), ...undo });
    return true;
  }

  async undo(): Promise<void> {
    const undoable = this.undoable.get();
    if (undoable === null) return;
    this.undoable.set(null);
    const command = undoable.undo();
    if (command !== null) await this.do(command);
  }

  // --- own devices ---

  async setMicrophone(on: boolean): Promise<void> {
    let { microphone } = this.own.get();
    if (on && microphone === null) {
      microphone = (await devices.open("microphone", this.entry.choice.microphone)).track;
      this.peer.setMicrophone(microphone);
    }
    this.own.update((own) => ({ ...own, microphone, microphoneOn: on && microphone !== null }));
    this.watchTracks();
    this.tellDevices();
  }

  /** Off means off: the camera's light goes out, and the others see that there is no picture. */
  async setCamera(on: boolean): Promise<void> {
    let { camera } = this.own.get();
    if (on && camera === null) camera = (await devices.open("camera", this.entry.choice.camera)).track;
    if (!on) {
      camera?.stop();
      camera = null;
    }
    this.peer.setCamera(camera);
    this.own.update((own) => ({ ...own, camera, cameraOn: on && camera !== null }));
    this.watchTracks();
    this.tellDevices();
  }

  /** Entering does not wait for the devices: a question that nobody answers must not keep a room out. */
  private async openDevices(): Promise<void> {
    const { camera, microphone } = await devices.openBoth(this.entry.choice);
    if (this.stopped) {
      for (const { track } of [camera, microphone]) track?.stop();
      return;
    }
    this.peer.setCamera(camera.track);
    this.peer.setMicrophone(microphone.track);
    this.own.update((own) => ({
      ...own,
      camera: camera.track,
      microphone: microphone.track,
      cameraOn: camera.track !== null,
      microphoneOn: microphone.track !== null,
    }));
    this.watchTracks();
    this.tellDevices();
    this.soundBlocked.set(false); // a page that captures may sound without a click: try again
  }

  async share(): Promise<void> {
    const screen = await devices.openScreen();
    if (screen === null) return;
    screen.onended = () => void this.stopSharing();
    this.setScreen(screen);
    const shared = await this.do(
      { type: "share-content" },
      { act: "content-shared", undo: () => ({ type: "stop-content" }) },
    );
    if (!shared) this.setScreen(null);
  }

  async stopSharing(): Promise<void> {
    this.setScreen(null);
    await this.do({ type: "stop-content" });
  }

  private setScreen(screen: MediaStreamTrack | null): void {
    const before = this.own.get().screen;
    if (before !== null && before !== screen) {
      before.onended = null;
      before.stop();
    }
    if (screen === null) sessionStorage.removeItem(SHARING);
    else sessionStorage.setItem(SHARING, "1");
    this.peer.setScreen(screen);
    this.own.update((own) => ({ ...own, screen }));
  }

  private readonly devicesChanged = (): void => {
    const { camera, microphone, cameraOn, microphoneOn } = this.own.get();
    if (cameraOn && camera === null) void this.setCamera(true);
    if (microphoneOn && microphone === null) void this.setMicrophone(true);
  };

  /** A cable that comes out ends its track; the wish to have it stays, for when it is put back. */
  private watchTracks(): void {
    const { camera, microphone } = this.own.get();
    if (camera !== null) {
      camera.onended = () => {
        this.peer.setCamera(null);
        this.own.update((own) => ({ ...own, camera: null }));
        this.tellDevices();
      };
    }
    if (microphone !== null) {
      microphone.onended = () => {
        this.peer.setMicrophone(null);
        this.own.update((own) => ({ ...own, microphone: null }));
        this.tellDevices();
      };
    }
    this.gateMicrophone();
  }

  /** While the meeting does not let us be heard, silence leaves the room (the server drops it besides). */
  private gateMicrophone(): void {
    const { microphone, microphoneOn } = this.own.get();
    if (microphone !== null) {
      microphone.enabled = microphoneOn && (this.state.get().microphones?.you_may_speak ?? false);
    }
  }

  private tellDevices(): void {
    const { camera, microphone, microphoneOn } = this.own.get();
    if (this.state.get().you?.site == null) return;
    this.wire.post({ type: "device-state", microphone: microphone !== null && microphoneOn, camera: camera !== null });
  }

  // --- hearing ---

  private lineIs(status: LineStatus): void {
    this.line.set(status);
    if (status.kind === "lost") this.peer.pause();
    if (status.kind === "gone") this.peer.stop();
  }

  private hear(message: ServerMessage): void {
    this.state.update((state) => hear(state, message, Date.now() / 1000));
    switch (message.type) {
      case "welcome":
        return this.entered(message.resumed);
      case "media-lost":
        return this.peer.renew(message.retry_after_ms);
      case "microphones":
        return this.gateMicrophone();
      case "stage":
        return this.checkSharing();
      case "hands":
        return this.findPlace();
      default:
        return;
    }
  }

  private entered(resumed: boolean): void {
    if (this.toOpen && this.state.get().you?.site != null) {
      this.toOpen = false;
      void this.openDevices();
    } else this.tellDevices();
    this.peer.renew(); // the server knows media by connection, and this is a new one
    if (this.may("watch-presence") || this.isOfficial()) {
      this.wire.post({ type: "watch-presence", on: true });
      if (!resumed || this.roster.get().status !== "here") void this.loadRoster();
    }
  }

  private isOfficial(): boolean {
    const role = this.state.get().you?.role;
    return role === "chair" || role === "secretary" || role === "operator";
  }

  async loadRoster(): Promise<void> {
    const { meeting } = this.entry;
    if (this.roster.get().status === "unasked") this.roster.update((roster) => ({ ...roster, status: "loading" }));
    try {
      const token = this.wire.token() ?? "";
      const [sites, districts] = await Promise.all([rest.roster(meeting, token), rest.districts(meeting, token)]);
      this.roster.set({ status: "here", sites: sites.list, districts });
      this.state.update((state) => ({ ...state, rows: withRows(state.rows, sites.seq, sites.list) }));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (this.roster.get().status !== "here") this.roster.update((roster) => ({ ...roster, status: "failed" }));
    }
  }

  /** Somebody else's content has replaced ours, or it was ours before this page was loaded again. */
  private checkSharing(): void {
    const { you, stage } = this.state.get();
    const ours = stage?.content != null && stage.content.code === you?.site?.code;
    if (!ours && this.own.get().screen !== null && this.sharingWasTold) this.setScreen(null);
    if (ours && this.own.get().screen === null && sessionStorage.getItem(SHARING) !== null) {
      sessionStorage.removeItem(SHARING);
      void this.do({ type: "stop-content" });
    }
    this.sharingWasTold = ours;
  }

  private sharingWasTold = false;

  /** Only the head of a long queue is told to all; who stands further back asks for its place. */
  private findPlace(): void {
    const { hands, you } = this.state.get();
    const own = you?.site?.code ?? null;
    const place = placeInQueue(hands, own);
    clearTimeout(this.placeTimer);
    if (place !== null || hands === null || own === null || hands.total <= hands.first.length) {
      return this.standAt(place);
    }
    this.placeTimer = setTimeout(() => void this.askPlace(own), Math.random() * PLACE_ASKED_WITHIN_MS);
  }

  private standAt(place: number | null): void {
    this.place.set(place);
    this.handRaised.set(place !== null);
  }

  private async askPlace(own: string): Promise<void> {
    const token = this.wire.token();
    if (token === null) return;
    try {
      for (let offset = 0; ; offset += QUEUE_PAGE) {
        const page = await rest.handsPage(this.entry.meeting, token, offset, QUEUE_PAGE);
        const index = page.hands.findIndex((site) => site.code === own);
        if (index >= 0) return this.standAt(offset + index + 1);
        if (page.hands.length === 0 || offset + page.hands.length >= page.total) return this.standAt(null);
      }
    } catch {
      // It stays as it was; the next change of the queue asks again.
    }
  }
}
