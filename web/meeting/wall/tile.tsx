/** One picture of the wall: who it is, how it is, and what can be done. */
import { useT } from "../../shared/i18n";
import { Hand, Microphone } from "../../shared/icons";
import { Picture } from "../../shared/picture";
import { Still } from "../../shared/still";
import { StepMark } from "../../shared/step-mark";
import { isReduced, stepSentence } from "../../shared/steps";
import type { RosterSite, SiteRow } from "../../shared/wire";
import { lookOf, Mark, wordOf } from "../desk/look";
import type { Room } from "../room";

interface Props {
  readonly room: Room;
  readonly site: RosterSite;
  readonly row: SiteRow | undefined;
  readonly floor: string | null;
  readonly heard: boolean;
  readonly slot: string;
  readonly track: MediaStreamTrack | undefined;
  readonly since_ms: number; // frames from before are another site's
  readonly tabbable: boolean;
  readonly onFocus: () => void;
  readonly onOpen: () => void;
}

export function WallTile({ room, site, row = site, floor, heard, slot, track, since_ms, tabbable, onFocus, onOpen }: Props) {
  const t = useT();
  const look = lookOf(row, floor);
  const here = row.state === "present";
  const words = [t(wordOf(look)), ...(isReduced(row.step) ? [t(`step.${row.step}`)] : [])];
  return (
    <div
      class="one"
      role="button"
      data-wall={site.code}
      data-look={look}
      tabIndex={tabbable ? 0 : -1}
      aria-label={`${site.name}, ${site.district}: ${words.join(", ")}`}
      title={stepSentence(t, row) ?? t(wordOf(look))}
      onFocus={onFocus}
      onClick={onOpen}
      onKeyDown={(event) => {
        if (event.code !== "Enter" && event.code !== "Space") return;
        event.preventDefault();
        onOpen();
      }}
    >
      <Picture
        track={track}
        slot={slot}
        site={site.code}
        since_ms={since_ms}
        class={heard ? "heard" : ""}
        card={
          <>
            <Still room={room} site={site.code} />
            <span class="what">{here ? (row.camera ? t("wall.coming") : t("roster.camoff")) : t(wordOf(look))}</span>
          </>
        }
        corner={
          site.simulated || look === "floor" ? (
            <>
              {look === "floor" && <span class="tag floor">{t("state.floor")}</span>}
              {site.simulated && <span class="tag simulated">{t("simulated")}</span>}
            </>
          ) : null
        }
      />
      <span class="plate">
        <Mark look={look} size={14} />
        <span class="who">
          <strong>{site.name}</strong>
          <span>, {site.district}</span>
        </span>
        {here && row.hand && <Hand size={18} />}
        {here && (row.muted || !row.microphone) && <Microphone size={16} off />}
        {here && isReduced(row.step) && (
          <span class="stepword" data-step={row.step}>
            <StepMark step={row.step} />
            {t(`step.${row.step}`)}
          </span>
        )}
        {!here && <span class="stepword">{t(wordOf(look))}</span>}
        {here && !isReduced(row.step) && look === "weak" && <span class="stepword">{t("legend.weak")}</span>}
      </span>
    </div>
  );
}
