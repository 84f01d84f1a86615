/** What everybody sees: main picture, content, tiles; the same on the ward's screen and on the desk. */
import type { ComponentChildren } from "preact";
import { useT } from "./i18n";
import { Camera, Microphone, Screen } from "./icons";
import type { VideoSlot } from "./media";
import type { MediaState } from "./peering";
import { Picture } from "./picture";
import { mainFor } from "./state";
import type { Step } from "./steps";
import type { SiteRef, Stage } from "./wire";

interface Props {
  readonly stage: Stage;
  readonly own: string | null; // the own site's code
  readonly camera: MediaStreamTrack | null;
  readonly tracks: MediaState["tracks"];
  readonly speaking: readonly SiteRef[];
  readonly step?: Step | null; // of the own line
  readonly onTile?: (site: SiteRef) => ComponentChildren; // a control on each tile
}

export function StageView({ stage, own, camera, tracks, speaking, step = null, onTile }: Props) {
  const t = useT();
  const main = mainFor(stage, own);
  const content = stage.content;
  // The host is told as a tile while another site is the main picture; that site itself has it in main.
  const tiles = stage.tiles
    .map((site, i) => ({ site, slot: `tile-${i + 1}` as VideoSlot }))
    .filter(({ site }) => site.code !== main.code);
  const side = tiles.length + (content === null ? 0 : 1); // pictures beside the large one
  const layout = content !== null ? "content" : side > 0 ? "tiles" : "single";

  const picture = (slot: VideoSlot, site: SiteRef, extra: ComponentChildren = null) => {
    const mine = site.code === own;
    const heard = speaking.some(({ code }) => code === site.code);
    return (
      <Picture
        key={slot}
        track={mine ? camera : tracks[slot]}
        slot={slot}
        site={site.code}
        class={`slot-${slot.replace(/-\d$/, "")} ${heard ? "heard" : ""}`}
        still={!mine && step === "still"}
        card={<NoPicture site={site} own={mine} paused={!mine && step === "audio-only"} />}
        corner={site.simulated ? <span class="tag simulated">{t("simulated")}</span> : null}
        name={
          <>
            <Name site={site} mark={false} />
            {heard && <Microphone size={16} /> /* after the name, which does not move with every word then */}
            {extra}
          </>
        }
      />
    );
  };

  return (
    <div class="stage" data-layout={layout} data-side={side} data-testid="stage">
      {content !== null &&
        (content.code === own ? (
          <figure class="picture slot-content" data-slot="content" data-site={content.code}>
            <div class="card">
              <Screen size={64} />
              <span class="who">{t("stage.content.own")}</span>
            </div>
          </figure>
        ) : (
          <Picture
            key="content"
            track={tracks.content}
            slot="content"
            site={content.code}
            class="slot-content"
            card={
              <>
                <Screen size={64} />
                <span class="who">{t("stage.content.of", { site: content.name })}</span>
                <span class="what">{t("stage.nopicture")}</span>
              </>
            }
            name={t("stage.content.of", { site: content.name })}
          />
        ))}
      {picture("main", main)}
      {tiles.map(({ slot, site }) => picture(slot, site, onTile?.(site)))}
    </div>
  );
}

interface NoPictureProps {
  readonly site: SiteRef;
  readonly own: boolean;
  readonly paused: boolean; // the line carries no picture now
}

function NoPicture({ site, own, paused }: NoPictureProps) {
  const t = useT();
  const why = own ? "stage.own.none" : paused ? "stage.audio-only" : "stage.nopicture";
  return (
    <>
      <Camera size={40} off />
      <span class="who">{site.name}</span>
      {site.district !== "" && <span class="what">{site.district}</span>}
      <span class="what">{t(why)}</span>
    </>
  );
}

/** A site's name; a simulated one always says so. */
export function Name({ site, mark = true }: { readonly site: SiteRef; readonly mark?: boolean }) {
  const t = useT();
  return (
    <>
      {site.name}
      {site.district !== "" && <span class="district">, {site.district}</span>}
      {mark && site.simulated && <span class="tag simulated">{t("simulated")}</span>}
    </>
  );
}
