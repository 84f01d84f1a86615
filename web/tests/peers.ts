/** Plays the browser's RTCPeerConnection: the test is the network. */
interface Description {
  readonly type: string;
  readonly sdp: string;
}

export class Transceiver {
  readonly sender = { replaceTrack: async () => undefined, getParameters: () => ({ encodings: [] }) };
  readonly receiver: { readonly track: string };
  constructor(readonly mid: string) {
    this.receiver = { track: `track-${mid}` };
  }
}

export class Peer {
  static all: Peer[] = [];
  readonly transceivers: Transceiver[] = [];
  readonly restarts: boolean[] = [];
  connectionState = "new";
  signalingState = "stable";
  localDescription: Description | null = null;
  onconnectionstatechange: (() => void) | null = null;

  constructor(public configuration: RTCConfiguration) {
    Peer.all.push(this);
  }

  static newest(): Peer {
    const peer = Peer.all.at(-1);
    if (peer === undefined) throw new Error("nothing was made");
    return peer;
  }

  addTransceiver(): Transceiver {
    const transceiver = new Transceiver(String(this.transceivers.length));
    this.transceivers.push(transceiver);
    return transceiver;
  }

  getTransceivers(): readonly Transceiver[] {
    return this.transceivers;
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }

  async createOffer({ iceRestart = false } = {}): Promise<Description> {
    this.restarts.push(iceRestart);
    return { type: "offer", sdp: `offer-${this.restarts.length}` };
  }

  async setLocalDescription(description: Description): Promise<void> {
    this.localDescription = description;
    this.signalingState = "have-local-offer";
  }

  async setRemoteDescription(): Promise<void> {
    this.signalingState = "stable";
  }

  /** The network has it so. */
  becomes(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  close(): void {
    this.connectionState = "closed";
  }
}

Object.assign(globalThis, { RTCPeerConnection: Peer, RTCRtpReceiver: { getCapabilities: () => null } });
