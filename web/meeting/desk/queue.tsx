/** Left of the desk: who speaks, and who wants to, in the server's order. */
import { useState } from "preact/hooks";
import { Dialog } from "../../shared/dialog";
import { span, useT } from "../../shared/i18n";
import { Microphone, Next } from "../../shared/icons";
import { Name } from "../../shared/stage";
import { useStore } from "../../shared/store";
import { useNow } from "../inside";
import type { Room } from "../room";
import type { Acts } from "./acts";

const MINUTES = [3, 5, 10, 15, 30] as const;
const NEARLY_OVER_S = 30;

export function Queue({ room, acts }: { readonly room: Room; readonly acts: Acts }) {
  const t = useT();
  const hands = useStore(room.state, (state) => state.hands);
  const [clearing, setClearing] = useState(false);
  const [minutes, setMinutes] = useState(0);
  const total = hands?.total ?? 0;
  const first = hands?.first ?? [];
  const choose = (value: number) => {
    setMinutes(value);
    acts.speaking_time_s = value === 0 ? null : value * 60;
  };
  return (
    <section class="panel queue" aria-label={t("desk.queue")}>
      <Speaker room={room} acts={acts} />
      <header>
        <h2>
          {t("desk.queue")} <span class="count">{total}</span>
        </h2>
      </header>
      <ol class="scroll" tabIndex={0} id="queue" aria-label={t("desk.queue")} data-testid="hands">
        {first.length === 0 && <li class="empty">{t("desk.queue.empty")}</li>}
        {first.map((site, i) => (
          <li key={site.code} data-site={site.code}>
            <span class="nth">{i + 1}</span>
            <span class="who">
              <strong>{site.name}</strong>
              <span>
                {site.simulated && <em>{t("simulated")} · </em>}
                {site.district}
              </span>
            </span>
            {room.may("give-floor") && (
              <button
                class="btn small"
                aria-label={t("desk.invite.site", { site: site.name })}
                title={t("desk.invite.site", { site: site.name })}
                onClick={() => acts.giveFloor(site.code)}
              >
                {t("desk.invite")}
              </button>
            )}
          </li>
        ))}
        {total > first.length && <li class="empty">{t("desk.queue.more", { n: total - first.length })}</li>}
      </ol>
      {room.may("next-speaker") && (
        <footer>
          <label>
            <span>{t("desk.time")}</span>
            <select
              class="input"
              value={minutes}
              data-testid="speaking-time"
              onChange={(event) => choose(Number(event.currentTarget.value))}
            >
              <option value={0}>{t("desk.time.none")}</option>
              {MINUTES.map((n) => (
                <option key={n} value={n}>
                  {t("desk.time.minutes", { n })}
                </option>
              ))}
            </select>
          </label>
          <button
            class="btn primary"
            disabled={total === 0}
            data-testid="next-speaker"
            aria-keyshortcuts="N"
            onClick={() => acts.nextSpeaker()}
          >
            <Next />
            {t("desk.queue.next")}
            <kbd>N</kbd>
          </button>
          {room.may("clear-hands") && (
            <button class="btn quiet small" disabled={total === 0} onClick={() => setClearing(true)}>
              {t("desk.queue.clear")}
            </button>
          )}
        </footer>
      )}
      {clearing && (
        <Dialog title={t("desk.clear.title")} onClose={() => setClearing(false)}>
          <p>{t("desk.clear.text", { n: total })}</p>
          <div class="buttons">
            <button class="btn" data-first onClick={() => setClearing(false)}>
              {t("cancel")}
            </button>
            <button
              class="btn danger primary"
              onClick={() => {
                setClearing(false);
                acts.clearHands();
              }}
            >
              {t("desk.queue.clear")}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

/** Who has the floor, how long still, and taking it back. The box has one size, taken or not. */
function Speaker({ room, acts }: { readonly room: Room; readonly acts: Acts }) {
  const t = useT();
  const floor = useStore(room.state, (state) => state.floor);
  const mute = useStore(room.state, (state) => state.rows.get(state.floor?.site?.code ?? "")?.muted ?? false);
  const site = floor?.site ?? null;
  return (
    <div class="speaker" data-on={String(site !== null)} data-testid="floor" data-site={site?.code ?? ""}>
      <h2>
        <Microphone off={site === null || mute} />
        {t("desk.floor")}
        {site !== null && <TimeLeft room={room} />}
      </h2>
      {site === null ? (
        <p class="none">{t("desk.floor.none")}</p>
      ) : (
        <p class="who">
          <Name site={site} />
        </p>
      )}
      {room.may("take-floor") && (
        <button
          class="btn small"
          disabled={site === null}
          data-testid="take-floor"
          aria-keyshortcuts="T"
          onClick={() => acts.takeFloor()}
        >
          {t("desk.floor.take")}
          <kbd>T</kbd>
        </button>
      )}
    </div>
  );
}

function TimeLeft({ room }: { readonly room: Room }) {
  const t = useT();
  const until = useStore(room.state, (state) => state.floor?.until ?? null);
  const held = useStore(room.state, (state) => state.floor?.held_until ?? null);
  const now_s = useNow(room, 500);
  if (held !== null) return <span class="left low">{t("desk.floor.held", { time: span(held - now_s) })}</span>;
  if (until === null) return null;
  const left_s = until - now_s;
  if (left_s <= 0) return <span class="left low">{t("desk.floor.over")}</span>;
  return (
    <span class={`left ${left_s < NEARLY_OVER_S ? "low" : ""}`}>{t("desk.floor.left", { time: span(left_s) })}</span>
  );
}

