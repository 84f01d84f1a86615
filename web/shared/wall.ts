/** City hall's wall: a second peer connection that only receives, and what its slots show. */
import { chooseCodecs } from "./codecs";
import { Peering, type MediaState } from "./peering";
import { codeOf } from "./problem";
import { MAX_WALL, type Answer } from "./wire";

const AGAIN_MS = 1_000;
const PASSING = new Set(["busy", "engine-away", "rate-limited", "internal"]);

export interface WallOptions {
  readonly offer: (sdp: string) => Promise<Answer>;
  readonly restart: (sdp: string) => Promise<Answer>;
  readonly watch: (sites: readonly string[]) => Promise<unknown>;
  readonly onState: (state: MediaState) => void;
  /** From now on the slots show these. */
  readonly onTold: (sites: readonly string[]) => void;
}

/** The slot of the nth picture, from 0. */
export function wallSlot(nth: number): string {
  return `wall-${nth + 1}`;
}

export class Wall {
  readonly peering: Peering;
  private wanted: readonly string[] = [];
  private told: readonly string[] | null = null; // to the connection there is; null: nothing yet
  private known = false; // the server has a connection to be told of
  private asking = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: WallOptions) {
    this.peering = new Peering({ ...options, make: () => this.make(), onAnswer: () => this.begin() });
  }

  /** Show these; the newest wish goes before all older ones. */
  watch(sites: readonly string[]): void {
    this.wanted = sites.slice(0, MAX_WALL);
    void this.say();
  }

  pause(): void {
    this.known = false;
    this.peering.pause();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.known = false;
    this.wanted = [];
    this.peering.stop();
  }

  private begin(): void {
    this.known = true;
    this.told = null;
    void this.say();
  }

  /** One question at a time: who pages fast is told of the page where the paging ends. */
  private async say(): Promise<void> {
    clearTimeout(this.timer);
    if (!this.known || this.asking || same(this.told, this.wanted)) return;
    const asked = this.wanted;
    this.asking = true;
    try {
      await this.options.watch(asked);
      this.told = asked;
      this.options.onTold(asked);
    } catch (error) {
      const code = codeOf(error);
      if (code === "not-joined") {
        this.known = false;
        this.peering.renew(AGAIN_MS);
      } else if (PASSING.has(code)) this.timer = setTimeout(() => void this.say(), AGAIN_MS);
      else if (code !== "offline") this.told = asked; // refused: asked again only when it is another page
      return;
    } finally {
      this.asking = false;
    }
    if (!same(asked, this.wanted)) void this.say();
  }

  private make(): RTCPeerConnection {
    const connection = new RTCPeerConnection(this.peering.configuration());
    for (let i = 0; i < MAX_WALL; i++) {
      chooseCodecs(connection.addTransceiver("video", { direction: "recvonly" }), true);
    }
    return connection;
  }
}

function same(a: readonly string[] | null, b: readonly string[]): boolean {
  return a !== null && a.length === b.length && a.every((code, i) => code === b[i]);
}
