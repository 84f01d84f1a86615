/** What a sender encodes: which of its layers, and how they are limited. */

export const CAMERA_LAYERS: RTCRtpEncodingParameters[] = [
  // Lowest first: the layers that come depend on the size of the capture, and the last one is dropped first.
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 2_000_000 },
];

export const SCREEN_LAYERS: RTCRtpEncodingParameters[] = [{ maxBitrate: 2_500_000, maxFramerate: 15 }];

/** Layers by rid; a picture of one layer has the name "". null: nobody has said, so all. */
export type Wanted = readonly string[] | null;

type Switched = Pick<RTCRtpEncodingParameters, "rid" | "active">;

/** Switch each layer on or off. True if any has changed. */
export function switchLayers(encodings: readonly Switched[], wanted: Wanted): boolean {
  let changed = false;
  for (const encoding of encodings) {
    const active = wanted === null || wanted.includes(encoding.rid ?? "");
    if ((encoding.active ?? true) === active) continue;
    encoding.active = active;
    changed = true;
  }
  return changed;
}

type Parameters = RTCRtpSendParameters & { degradationPreference?: string };

/** A sender whose parameters are changed one after the other: it takes only those it has just told. */
export class Encoder {
  private last: Promise<void> = Promise.resolve();

  constructor(readonly sender: RTCRtpSender) {}

  /** Send these layers; nothing is negotiated. */
  send(wanted: Wanted): Promise<void> {
    return this.change(({ encodings }) => switchLayers(encodings, wanted));
  }

  /** Text on a shared screen must stay legible: give up frames before sharpness. */
  preferDetail(): Promise<void> {
    return this.change((parameters) => {
      parameters.degradationPreference = "maintain-resolution";
      return true;
    });
  }

  private change(change: (parameters: Parameters) => boolean): Promise<void> {
    const turn = async () => {
      const parameters: Parameters = this.sender.getParameters();
      if (change(parameters)) await this.sender.setParameters(parameters);
    };
    // A closed connection refuses, and Firefox refuses what it does not know: nothing depends on it.
    this.last = this.last.then(turn).catch(() => undefined);
    return this.last;
  }
}
