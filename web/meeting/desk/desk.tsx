/** The chair's desk; secretary and operator sit at it too, each with what their role may do. */
import { useMemo, useState } from "preact/hooks";
import { Dialog } from "../../shared/dialog";
import { clock, day, number, useT } from "../../shared/i18n";
import { Bars, Door, Grid, Keyboard, Lock, Microphone } from "../../shared/icons";
import { gradeOf, ownSentence } from "../../shared/steps";
import { useStore } from "../../shared/store";
import { useTheme } from "../../shared/theme";
import { MAX_REASON_CHARS, type RosterSite } from "../../shared/wire";
import { Languages } from "../enter/frame";
import { useNow } from "../inside";
import type { Room } from "../room";
import { ALONE, WallPage } from "../wall/wall";
import { Acts } from "./acts";
import { Centre } from "./centre";
import { City } from "./city";
import { Help } from "./help";
import { useKeys } from "./keys";
import { Queue } from "./queue";
import { DeskRecordings, RecordingBadge } from "./recording";
import { Links } from "./links";
import { NO_FILTER, type Filter } from "./roll";
import { Roster } from "./roster";
import { StepCounts } from "./steps";

export function Desk({ room }: { readonly room: Room }) {
  useTheme(false);
  const acts = useMemo(() => new Acts(room), [room]);
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [selected, setSelected] = useState<string | null>(null);
  const [wall, setWall] = useState(ALONE);
  const [help, setHelp] = useState(false);
  const [ending, setEnding] = useState(false);
  const [recordings, setRecordings] = useState(false);
  const [linking, setLinking] = useState<RosterSite | null>(null);
  const [excusing, setExcusing] = useState<RosterSite | null>(null);
  const asked = useMemo(
    () => ({
      help: () => setHelp(true),
      end: () => room.may("end-meeting") && setEnding(true),
      wall: () => room.may("watch-wall") && setWall((open) => !open),
      recordings: () => room.may("start-recording") && setRecordings(true),
      escape: () => {
        setWall(false);
        setFilter(NO_FILTER);
      },
    }),
    [room],
  );
  useKeys(room, acts, asked);

  return (
    <div class="desk" data-testid="desk" data-view={wall ? "wall" : "desk"}>
      <Top
        room={room}
        filter={filter}
        wall={wall}
        onFilter={setFilter}
        onWall={asked.wall}
        onRecordings={asked.recordings}
        onHelp={asked.help}
      />
      {wall ? (
        <WallPage
          room={room}
          acts={acts}
          onExcuse={setExcusing}
          onLinks={setLinking}
          onClose={() => setWall(false)}
        />
      ) : (
        <>
          <Queue room={room} acts={acts} />
          <Centre room={room} acts={acts} ending={ending} onEnding={setEnding} />
          <Roster
            room={room}
            acts={acts}
            filter={filter}
            selected={selected}
            onFilter={setFilter}
            onSelect={setSelected}
            onExcuse={setExcusing}
            onLinks={setLinking}
          />
          <City
            room={room}
            look={filter.look}
            district={filter.district}
            onLook={(look) => setFilter({ ...filter, look })}
            onDistrict={(district, site) => {
              setFilter({ ...NO_FILTER, district: district === filter.district && site === null ? null : district });
              setSelected(site);
            }}
          />
        </>
      )}
      {recordings && <DeskRecordings room={room} acts={acts} onClose={() => setRecordings(false)} />}
      {help && <Help onClose={() => setHelp(false)} />}
      {linking !== null && <Links room={room} site={linking} onClose={() => setLinking(null)} />}
      {excusing !== null && <Excusing site={excusing} acts={acts} onClose={() => setExcusing(null)} />}
    </div>
  );
}

interface TopProps {
  readonly room: Room;
  readonly filter: Filter;
  readonly wall: boolean;
  readonly onFilter: (filter: Filter) => void;
  readonly onWall: () => void;
  readonly onRecordings: () => void;
  readonly onHelp: () => void;
}

function Top({ room, filter, wall, onFilter, onWall, onRecordings, onHelp }: TopProps) {
  const t = useT();
  const meeting = useStore(room.state, (state) => state.meeting);
  const counts = useStore(room.state, (state) => state.counts);
  const muted = useStore(room.state, (state) => state.microphones?.all_muted ?? false);
  const you = useStore(room.state, (state) => state.you);
  const line = useStore(room.line, (status) => status.kind);
  const grade = useStore(room.state, (state) => gradeOf(state.line));
  const own = ownSentence(t, useStore(room.state, (state) => state.line));
  const now_s = useNow(room);
  const total = number(counts?.total ?? 0);
  return (
    <header class="top">
      <h1 title={meeting?.title}>{meeting?.title}</h1>
      <p class="badges">
        <span class={`tag ${meeting?.locked === true ? "" : "absent"}`} data-testid="locked">
          <Lock size={16} />
          {t("desk.locked")}
        </span>
        <span class={`tag muted ${muted ? "" : "absent"}`} data-testid="all-muted">
          <Microphone size={16} off />
          {t("desk.muted")}
        </span>
      </p>
      <RecordingBadge room={room} onOpen={onRecordings} />
      <p class="total" data-testid="present">
        {t("state.present")} <strong style={{ minWidth: `${total.length}ch` }}>{number(counts?.present ?? 0)}</strong> / {total}
      </p>
      <StepCounts room={room} chosen={filter.step} onChoose={(step) => onFilter({ ...NO_FILTER, step })} />
      {room.may("watch-wall") && (
        <button class="btn small" aria-keyshortcuts="W" aria-pressed={wall} aria-label={t("wall.open")} title={`${t("wall.open")} (W)`} data-testid="wall-open" onClick={onWall}>
          <Grid />
          <span class="word">{t("wall.open")}</span>
        </button>
      )}
      <p class={`quality ${line === "open" ? grade : "lost"}`} role="status" title={own ?? ""} data-testid="line">
        <Bars grade={line === "open" ? grade : "none"} />
        {line === "open" ? t(`line.${grade}`) : t("line.lost")}
      </p>
      <p class="you" title={you?.name}>
        {you === null ? "" : t(`role.${you.role}`)}
        {you !== null && you.name !== "" && <span> · {you.name}</span>}
      </p>
      <time title={day(now_s)}>{clock(now_s, true)}</time>
      <Languages />
      <button class="btn quiet small icon-only" aria-label={t("desk.help")} title={`${t("desk.help")} (?)`} onClick={onHelp}>
        <Keyboard />
      </button>
      <button
        class="btn quiet small icon-only"
        aria-label={t("desk.leave")}
        title={t("desk.leave")}
        data-testid="leave"
        onClick={() => room.leave()}
      >
        <Door />
      </button>
    </header>
  );
}

interface ExcusingProps {
  readonly site: RosterSite;
  readonly acts: Acts;
  readonly onClose: () => void;
}

function Excusing({ site, acts, onClose }: ExcusingProps) {
  const t = useT();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get("reason")).trim();
    onClose();
    acts.excuse(site.code, reason);
  };
  return (
    <Dialog title={t("excuse.title")} onClose={onClose} testid="excuse">
      <form onSubmit={submit}>
        <p>
          <strong>{site.name}</strong>, {site.district}
        </p>
        <div class="field reason">
          <label for="reason">{t("excuse.reason")}</label>
          <input id="reason" name="reason" class="input" maxLength={MAX_REASON_CHARS} required data-first />
        </div>
        <div class="buttons">
          <button class="btn" type="button" onClick={onClose}>
            {t("cancel")}
          </button>
          <button class="btn primary" type="submit">
            {t("excuse.save")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
