/** Where the own site stands in the queue, also far back. */
import * as rest from "../shared/rest";
import { placeInQueue, type RoomState } from "../shared/state";
import { Store } from "../shared/store";

const ASKED_WITHIN_MS = 2_000;
const PAGE = 100;

export class OwnPlace {
  readonly place = new Store<number | null>(null);
  readonly raised = new Store(false); // the own hand
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly meeting: string,
    private readonly token: () => string | null,
  ) {}

  /** Only the head of a long queue is told to all; who stands further back asks for its place. */
  look({ hands, you }: RoomState): void {
    const own = you?.site?.code ?? null;
    const place = placeInQueue(hands, own);
    clearTimeout(this.timer);
    if (place !== null || hands === null || own === null || hands.total <= hands.first.length) {
      return this.standAt(place);
    }
    this.timer = setTimeout(() => void this.ask(own), Math.random() * ASKED_WITHIN_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private standAt(place: number | null): void {
    this.place.set(place);
    this.raised.set(place !== null);
  }

  private async ask(own: string): Promise<void> {
    const token = this.token();
    if (token === null) return;
    try {
      for (let offset = 0; ; offset += PAGE) {
        const page = await rest.handsPage(this.meeting, token, offset, PAGE);
        const index = page.hands.findIndex((site) => site.code === own);
        if (index >= 0) return this.standAt(offset + index + 1);
        if (page.hands.length === 0 || offset + page.hands.length >= page.total) return this.standAt(null);
      }
    } catch {
      // It stays as it was; the next change of the queue asks again.
    }
  }
}
