import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Store, useStore } from "./store";

/** No new frame for so long: what is seen is no picture any more. A weak line may come down to one a second. */
const STALE_MS = 2_500;
/** Right after another site was put there, an old frame must not stand long under the new name. */
const STALE_AFTER_CHANGE_MS = 700;
/** A line that carries only stills renews them now and then; between two the last one stands. */
const STILL_STALE_MS = 30_000;
const LOOK_EVERY_MS = 200;

interface PictureProps {
  readonly track: MediaStreamTrack | null | undefined;
  readonly slot: string;
  readonly site: string | null; // whose picture it should be
  readonly card: ComponentChildren; // instead of a picture
  readonly name?: ComponentChildren;
  readonly corner?: ComponentChildren; // a mark on the picture, top left
  readonly class?: string;
  readonly mirrored?: boolean;
  readonly still?: boolean; // a picture now and then is all that comes
  readonly since_ms?: number; // frames received before then are another site's (`performance.now`)
}

/** A picture if frames arrive, else a card in its place. */
export function Picture(props: PictureProps) {
  const { track, slot, site, card, name, corner, class: extra = "", mirrored = false, still = false } = props;
  const { since_ms = -Infinity } = props;
  const since = useRef(since_ms);
  since.current = since_ms;
  const patience = useRef(STALE_MS);
  patience.current = still ? STILL_STALE_MS : STALE_MS;
  const video = useRef<HTMLVideoElement>(null);
  const frame_ms = useRef(-Infinity);
  const change_ms = useRef(-Infinity);
  const [fresh, setFresh] = useState(false);

  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    element.srcObject = track == null ? null : new MediaStream([track]);
    frame_ms.current = -Infinity;
    setFresh(false);
    if (track == null) return;
    let stopped = false;
    const count = (now_ms: number, frame?: VideoFrameCallbackMetadata) => {
      if (stopped) return;
      if ((frame?.receiveTime ?? now_ms) >= since.current) {
        frame_ms.current = performance.now();
        setFresh(true);
      }
      element.requestVideoFrameCallback(count);
    };
    element.requestVideoFrameCallback(count);
    void element.play().catch(() => undefined);
    const timer = setInterval(() => {
      if (document.hidden) return; // frames are not counted then
      const now = performance.now();
      const justChanged = now - change_ms.current < 2 * STALE_MS && patience.current === STALE_MS;
      const limit = justChanged ? STALE_AFTER_CHANGE_MS : patience.current;
      if (now - frame_ms.current > limit) setFresh(false);
    }, LOOK_EVERY_MS);
    return () => {
      stopped = true;
      clearInterval(timer);
      element.srcObject = null;
    };
  }, [track]);

  useEffect(() => {
    change_ms.current = performance.now();
    if (since.current > -Infinity) setFresh(false);
  }, [site]);

  return (
    <figure
      class={`picture ${extra} ${mirrored ? "mirrored" : ""}`}
      data-slot={slot}
      data-site={site ?? ""}
      data-fresh={String(fresh)}
      data-testid={`picture-${slot}`}
    >
      <video ref={video} autoplay playsInline muted disablePictureInPicture />
      {!fresh && <div class="card">{card}</div>}
      {corner !== undefined && corner !== null && <div class="corner">{corner}</div>}
      {name !== undefined && <figcaption class="name">{name}</figcaption>}
    </figure>
  );
}

interface VoiceProps {
  readonly track: MediaStreamTrack | undefined;
  readonly slot: string;
  readonly speaker: string | null;
  readonly blocked: Store<boolean>;
}

/** One voice through the chosen speaker. If the browser refuses, `blocked` says so until a person clicks. */
export function Voice({ track, slot, speaker, blocked }: VoiceProps) {
  const audio = useRef<HTMLAudioElement>(null);
  const isBlocked = useStore(blocked);
  useEffect(() => {
    const element = audio.current;
    if (element === null) return;
    element.srcObject = track === undefined ? null : new MediaStream([track]);
    if (speaker !== null && "setSinkId" in element) void element.setSinkId(speaker).catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  }, [track, speaker]);
  useEffect(() => {
    if (track === undefined || isBlocked) return;
    audio.current?.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") blocked.set(true);
    });
  }, [track, isBlocked]);
  return <audio ref={audio} data-slot={slot} autoplay />;
}
