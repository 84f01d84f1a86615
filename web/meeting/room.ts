/** One window in one meeting: the line, the media, the own devices, and what is known. */
import * as devices from "../shared/devices";
import { Line, type LineStatus, type Unsent } from "../shared/line";
import { Media } from "../shared/media";
import { onNetworkChange } from "../shared/network";
import { NO_MEDIA, type MediaState } from "../shared/peering";
import { codeOf, Refused } from "../shared/problem";
import * as rest from "../shared/rest";
import { EMPTY, hear, may, type RoomState, withRows } from "../shared/state";
import { Store } from "../shared/store";
import { Wall } from "../shared/wall";
import type { Answer, IceServer, ServerMessage } from "../shared/wire";
import { OwnPlace } from "./place";
import type { Entry, Notice, Own, Roster, Undoable, WallTold } from "./values";

const SHARING = "diemcau.sharing";

export class Room {
  readonly state = new Store<RoomState>(EMPTY);
  readonly line = new Store<LineStatus>({ kind: "connecting" });
  readonly media = new Store<MediaState>(NO_MEDIA);
  readonly wallMedia = new Store<MediaState>(NO_MEDIA);
  readonly wallTold = new Store<WallTold>({ sites: [], at_ms: 0 });
  readonly own: Store<Own>;
  readonly roster = new Store<Roster>({ status: "unasked", sites: [], districts: [] });
  readonly notice = new Store<Notice | null>(null);
  readonly undoable = new Store<Undoable | null>(null);
  readonly queue: OwnPlace;
  readonly soundBlocked = new Store(false);

  private readonly wire: Line;
  private readonly peer: Media;
  private readonly wall: Wall;
  private wallIsOpen = false;
  private forgetNetwork = (): void => undefined;
  private toOpen: boolean;
  private stopped = false;

  constructor(readonly entry: Entry) {
    this.toOpen = entry.unchecked;
    this.queue = new OwnPlace(entry.meeting, () => this.wire.token());
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
    const ask = (type: "offer" | "restart-ice", purpose: "meeting" | "wall") => async (sdp: string) =>
      (await this.wire.ask({ type, sdp, purpose })) as Answer;
    this.peer = new Media({
      offer: ask("offer", "meeting"),
      restart: ask("restart-ice", "meeting"),
      onState: (state) => this.media.set(state),
    });
    this.wall = new Wall({
      offer: ask("offer", "wall"),
      restart: ask("restart-ice", "wall"),
      watch: (sites) => this.wire.ask({ type: "watch-wall", sites }),
      onState: (state) => this.wallMedia.set(state),
      onTold: (sites) => this.wallTold.set({ sites, at_ms: performance.now() }),
    });
  }

  start(): void {
    this.peer.setCamera(this.own.get().camera);
    this.peer.setMicrophone(this.own.get().microphone);
    this.watchTracks();
    navigator.mediaDevices?.addEventListener("devicechange", this.devicesChanged);
    this.forgetNetwork = onNetworkChange(() => {
      for (const { peering } of [this.peer, this.wall]) peering.networkChanged();
    });
    this.wire.start();
  }

  /** The page goes away; the site keeps its place for a while. */
  stop(): void {
    this.stopped = true;
    navigator.mediaDevices?.removeEventListener("devicechange", this.devicesChanged);
    this.queue.stop();
    this.forgetNetwork();
    this.wire.close();
    this.wall.stop();
    this.peer.peering.stop();
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
    if (command.type === "raise-hand" && command.site == null) this.queue.raised.set(true);
    if (command.type === "lower-hand" && command.site == null) this.queue.raised.set(false);
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

  // --- the wall ---

  /** Look at these sites; null: at none any more. */
  watchWall(sites: readonly string[] | null): void {
    if (sites === null) {
      if (this.wallIsOpen) this.wire.post({ type: "close-wall" });
      this.wallIsOpen = false;
      return this.wall.stop();
    }
    this.wall.watch(sites);
    if (!this.wallIsOpen && this.line.get().kind === "open") this.wall.peering.renew();
    this.wallIsOpen = true;
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
    if (status.kind === "lost") {
      this.peer.peering.pause();
      this.wall.pause();
    }
    if (status.kind === "gone") {
      this.peer.peering.stop();
      this.wall.stop();
    }
  }

  private hear(message: ServerMessage): void {
    this.state.update((state) => hear(state, message, Date.now() / 1000));
    switch (message.type) {
      case "welcome":
        for (const { peering } of [this.peer, this.wall]) peering.setIceServers(message.ice_servers.map(relay));
        return this.entered(message.resumed);
      case "media-lost":
        return this.offerMedia(message.retry_after_ms);
      case "layers":
        return this.peer.sendLayers(message.role, message.layers);
      case "microphones":
        return this.gateMicrophone();
      case "stage":
        return this.checkSharing();
      case "hands":
        return this.queue.look(this.state.get());
      default:
        return;
    }
  }

  private entered(resumed: boolean): void {
    if (this.toOpen && this.state.get().you?.site != null) {
      this.toOpen = false;
      void this.openDevices();
    } else this.tellDevices();
    this.offerMedia(); // the server knows media by connection, and this is a new one
    if (this.may("watch-presence")) {
      this.wire.post({ type: "watch-presence", on: true });
      if (!resumed || this.roster.get().status !== "here") void this.loadRoster();
    }
  }

  private offerMedia(after_ms = 0): void {
    this.peer.peering.renew(after_ms);
    if (this.wallIsOpen) this.wall.peering.renew(after_ms);
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
}

function relay({ urls, username, credential }: IceServer): RTCIceServer {
  return { urls: [...urls], username, credential };
}
