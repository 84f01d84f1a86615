/**
 * One peer connection at a time, and what is done when its network fails: mended by new ICE credentials
 * if it can be, else replaced; the old one keeps showing until the new one is up.
 *
 * Knows nothing of what is sent or shown: `make` opens a connection with its sections.
 */
import { backoff_s } from "./backoff";
import { codeOf } from "./problem";
import type { Answer } from "./wire";

const UP_WITHIN_MS = 10_000;
const RESTART_AFTER_MS = 1_500; // of being disconnected; a moment's loss mends itself
const MAY_BE_DISCONNECTED_MS = 8_000;
const RESTART_EVERY_MS = 4_000;

export interface MediaState {
  readonly status: "off" | "connecting" | "up" | "lost";
  readonly tracks: Readonly<Partial<Record<string, MediaStreamTrack>>>; // by slot
}

export const NO_MEDIA: MediaState = { status: "off", tracks: {} };

export interface PeeringOptions {
  readonly make: () => RTCPeerConnection;
  readonly offer: (sdp: string) => Promise<Answer>;
  readonly restart: (sdp: string) => Promise<Answer>;
  readonly onState: (state: MediaState) => void;
  /** The server knows the new connection. */
  readonly onAnswer?: () => void;
  readonly onUp?: (connection: RTCPeerConnection) => void;
}

export class Peering {
  private state = NO_MEDIA;
  private shown: RTCPeerConnection | null = null;
  private coming: RTCPeerConnection | null = null; // the one that is being set up
  private iceServers: readonly RTCIceServer[] = [];
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined; // until an offer, or until the coming one must be up
  private patience: ReturnType<typeof setTimeout> | undefined; // with the one that is shown
  private restarted_ms = -Infinity;
  private stopped = true;

  constructor(private readonly options: PeeringOptions) {}

  /** Offer a new connection, at once or after the wait; replaces the one there is. */
  renew(after_ms = 0): void {
    this.stopped = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.negotiate(), after_ms);
  }

  /** The line is gone: no offer can be made until `renew`. What flows may go on. */
  pause(): void {
    clearTimeout(this.timer);
    close(this.coming);
    this.coming = null;
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.patience);
    this.pause();
    close(this.shown);
    this.shown = null;
    this.tell({ status: "off", tracks: {} });
  }

  /** The relays of connections to come, and of this one from its next restart on. */
  setIceServers(servers: readonly RTCIceServer[]): void {
    this.iceServers = servers;
  }

  configuration(): RTCConfiguration {
    return { bundlePolicy: "max-bundle", iceServers: [...this.iceServers] };
  }

  /** Those there are, the one that is being set up last. */
  connections(): readonly RTCPeerConnection[] {
    return [this.shown, this.coming].filter((one) => one !== null);
  }

  /** The network under the connection has changed, or may have: find a way over the one there is now. */
  networkChanged(): void {
    if (this.shown !== null && this.coming === null) void this.restart(this.shown);
  }

  private tell(state: MediaState): void {
    this.state = state;
    this.options.onState(state);
  }

  private async negotiate(): Promise<void> {
    if (this.stopped) return;
    this.pause();
    const connection = this.options.make();
    this.coming = connection;
    if (this.state.status !== "up") this.tell({ ...this.state, status: "connecting" });
    try {
      await connection.setLocalDescription(await connection.createOffer());
      const answer = await this.options.offer(connection.localDescription?.sdp ?? "");
      if (this.coming !== connection) return;
      this.options.onAnswer?.();
      await connection.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      if (this.coming !== connection) return;
      this.watch(connection, answer.slots);
    } catch (error) {
      if (this.coming !== connection) return;
      close(connection);
      this.coming = null;
      if (this.state.status !== "up") this.tell({ ...this.state, status: "lost" });
      // Without a line the room calls again when it is back. An offer that was refused will be refused again.
      const code = codeOf(error);
      if (code !== "offline") this.renew(code === "bad-offer" || code === "no-common-codec" ? 30_000 : backoff_s(this.tries++) * 1000);
    }
  }

  private watch(connection: RTCPeerConnection, slots: Answer["slots"]): void {
    const tracks: Record<string, MediaStreamTrack> = {};
    for (const { mid, receiver } of connection.getTransceivers()) {
      const slot = mid === null ? undefined : slots[mid];
      if (slot !== undefined) tracks[slot] = receiver.track;
    }
    this.timer = setTimeout(() => this.dead(connection), UP_WITHIN_MS);
    const look = () => {
      switch (connection.connectionState) {
        case "connected":
          return this.up(connection, tracks);
        case "disconnected":
          return this.disconnected(connection);
        case "failed":
          return this.failed(connection);
        case "closed":
          return this.dead(connection);
        default:
          return;
      }
    };
    connection.onconnectionstatechange = look;
    look();
  }

  private up(connection: RTCPeerConnection, tracks: MediaState["tracks"]): void {
    if (this.coming === connection) {
      clearTimeout(this.timer);
      close(this.shown);
      this.shown = connection;
      this.coming = null;
    }
    clearTimeout(this.patience);
    this.tries = 0;
    this.options.onUp?.(connection);
    this.tell({ status: "up", tracks });
  }

  private disconnected(connection: RTCPeerConnection): void {
    if (this.shown !== connection) return;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      void this.restart(connection);
      this.patience = setTimeout(() => this.dead(connection), MAY_BE_DISCONNECTED_MS - RESTART_AFTER_MS);
    }, RESTART_AFTER_MS);
  }

  /** ICE has given up on the credentials it has; new ones may find another way. */
  private failed(connection: RTCPeerConnection): void {
    if (connection !== this.shown || this.state.status === "lost") return this.dead(connection);
    this.tell({ ...this.state, status: "lost" });
    void this.restart(connection);
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.dead(connection), MAY_BE_DISCONNECTED_MS);
  }

  /** New ICE credentials (RFC 8445, section 9): keys, slots and seat stay. What cannot be mended is replaced. */
  private async restart(connection: RTCPeerConnection): Promise<void> {
    const now = performance.now();
    if (now - this.restarted_ms < RESTART_EVERY_MS || connection.signalingState !== "stable") return;
    this.restarted_ms = now;
    try {
      connection.setConfiguration(this.configuration());
      await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
      const answer = await this.options.restart(connection.localDescription?.sdp ?? "");
      if (connection === this.shown) await connection.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    } catch (error) {
      if (connection !== this.shown || codeOf(error) === "offline") return;
      if (connection.connectionState === "connected") this.renew();
      else this.dead(connection);
    }
  }

  private dead(connection: RTCPeerConnection): void {
    if (connection !== this.shown && connection !== this.coming) return;
    close(connection);
    if (connection === this.coming) this.coming = null;
    if (connection === this.shown) {
      clearTimeout(this.patience);
      this.shown = null;
    }
    if (this.shown === null) this.tell({ status: "lost", tracks: {} });
    this.renew(backoff_s(this.tries++) * 1000);
  }
}

function close(connection: RTCPeerConnection | null): void {
  if (connection === null) return;
  connection.onconnectionstatechange = null;
  connection.close();
}
