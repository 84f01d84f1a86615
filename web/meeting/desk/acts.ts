/** What the desk may do, each with how it is taken back. Commands name the version that was seen. */
import type { Unsent } from "../../shared/line";
import type { RoomState } from "../../shared/state";
import { MAX_TILES, type Floor, type Hands, type Meeting, type Mode, type Stage } from "../../shared/wire";
import type { Room } from "../room";

export class Acts {
  /** How long the next speaker may speak; null: as long as needed. */
  speaking_time_s: number | null = null;

  constructor(private readonly room: Room) {}

  giveFloor(site: string): void {
    const { speaking_time_s } = this;
    const floor_version = this.floor.version;
    this.act({ type: "give-floor", site, floor_version, speaking_time_s }, "floor-given", () => this.takeBack());
  }

  nextSpeaker(): void {
    const { speaking_time_s } = this;
    const floor_version = this.floor.version;
    this.act({ type: "next-speaker", floor_version, speaking_time_s }, "floor-given", () => this.takeBack());
  }

  takeFloor(): void {
    const { site, version, until } = this.floor;
    if (site === null) return;
    const left_s = until === null ? null : Math.max(1, until - Date.now() / 1000 - this.state.clock_ahead_s);
    this.act({ type: "take-floor", floor_version: version }, "floor-ended", () => ({
      type: "give-floor",
      site: site.code,
      floor_version: this.floor.version,
      speaking_time_s: left_s,
    }));
  }

  setMode(mode: Mode): void {
    const { mode: before, mode_version } = this.meeting;
    if (mode === before) return;
    this.act({ type: "set-mode", mode, mode_version }, "mode-set", () => ({
      type: "set-mode",
      mode: before,
      mode_version: this.meeting.mode_version,
    }));
  }

  muteAll(): void {
    this.act({ type: "mute-all" }, "all-muted", () => ({ type: "unmute-all" }));
  }

  unmuteAll(): void {
    this.act({ type: "unmute-all" }, "all-unmuted", () => ({ type: "mute-all" }));
  }

  setMuted(site: string, muted: boolean): void {
    const mute: Unsent = { type: "mute-site", site };
    const unmute: Unsent = { type: "unmute-site", site };
    this.act(muted ? mute : unmute, muted ? "site-muted" : "site-unmuted", () => (muted ? unmute : mute));
  }

  setLocked(locked: boolean): void {
    const lock: Unsent = { type: "lock-meeting" };
    const unlock: Unsent = { type: "unlock-meeting" };
    this.act(locked ? lock : unlock, locked ? "meeting-locked" : "meeting-unlocked", () => (locked ? unlock : lock));
  }

  setRecording(on: boolean): void {
    const start: Unsent = { type: "start-recording" };
    const stop: Unsent = { type: "stop-recording" };
    if (on) this.act(start, "recording-started", () => stop);
    else void this.room.do(stop); // started again it would be another file
  }

  /** The main picture; null: the city. */
  setMain(site: string | null): void {
    this.setStage(
      site,
      this.tiles.filter((code) => code !== site),
    );
  }

  setTile(site: string, on: boolean): void {
    if (on && this.main === site) return; // it is in sight already
    const others = this.tiles.filter((code) => code !== site);
    this.setStage(this.main, on ? [...others, site].slice(-MAX_TILES) : others);
  }

  setHand(site: string, up: boolean): void {
    const raise: Unsent = { type: "raise-hand", site };
    const lower: Unsent = { type: "lower-hand", site };
    this.act(up ? raise : lower, up ? "hand-raised" : "hand-lowered", () => (up ? lower : raise));
  }

  clearHands(): void {
    this.act({ type: "clear-hands", hands_version: this.hands.version }, "hands-cleared", () => null);
  }

  excuse(site: string, reason: string): void {
    this.act({ type: "excuse-absence", site, reason }, "absence-excused", () => ({ type: "withdraw-excuse", site }));
  }

  withdrawExcuse(site: string, reason: string): void {
    this.act({ type: "withdraw-excuse", site }, "excuse-withdrawn", () => ({ type: "excuse-absence", site, reason }));
  }

  stopContent(): void {
    const own = this.state.you?.site?.code;
    const site = this.stage.content?.code;
    if (site === undefined) return;
    if (site === own) return void this.room.stopSharing();
    void this.room.do({ type: "stop-content", site });
  }

  end(): void {
    void this.room.do({ type: "end-meeting" });
  }

  /** The code in the main picture, or null for the city, as commands have it. */
  get main(): string | null {
    const { main, host } = this.stage;
    return main.code === host.code ? null : main.code;
  }

  /** The tiles that were chosen: the host stands among those told whenever it is not the main picture. */
  private get tiles(): readonly string[] {
    const { tiles, host } = this.stage;
    return tiles.map(({ code }) => code).filter((code) => code !== host.code);
  }

  private setStage(main: string | null, tiles: readonly string[]): void {
    const before = { main: this.main, tiles: this.tiles };
    this.act({ type: "set-stage", main, tiles, stage_version: this.stage.version }, "stage-set", () => ({
      type: "set-stage",
      ...before,
      stage_version: this.stage.version,
    }));
  }

  private takeBack(): Unsent | null {
    return this.floor.site === null ? null : { type: "take-floor", floor_version: this.floor.version };
  }

  private act(command: Unsent, act: string, undo: () => Unsent | null): void {
    if (this.room.may(command.type)) void this.room.do(command, { act, undo });
  }

  private get state(): RoomState {
    return this.room.state.get();
  }

  private get floor(): Floor {
    return known(this.state.floor);
  }

  private get stage(): Stage {
    return known(this.state.stage);
  }

  private get meeting(): Meeting {
    return known(this.state.meeting);
  }

  private get hands(): Hands {
    return known(this.state.hands);
  }
}

/** The desk is drawn only once every section has been heard. */
function known<T>(section: T | null): T {
  if (section === null) throw new Error("the desk acts before it knows the room");
  return section;
}
