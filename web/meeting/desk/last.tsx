/** What was just done, by whom; and taking back what one did oneself. */
import { clock, useT, type Translate } from "../../shared/i18n";
import { vi, type Key } from "../../shared/i18n/vi";
import { Undo } from "../../shared/icons";
import { refusal } from "../../shared/refusal";
import { useExpiry, useStore } from "../../shared/store";
import { whoDid } from "../../shared/who";
import type { Act } from "../../shared/wire";
import type { Room } from "../room";

const UNDO_SHOWN_MS = 15_000;
const NOTICE_SHOWN_MS = 8_000;
const SHOWN = 2;

/** Comings and goings show on the roll and the map; here stand the acts of people at the desk. */
const NOT_ACTS = new Set([
  "site-joined",
  "device-dropped",
  "site-dropped",
  "grace-ended",
  "site-left",
  "people-counted",
  "hand-raised",
  "hand-lowered",
]);

export function LastActs({ room }: { readonly room: Room }) {
  const t = useT();
  const acts = useStore(room.state, (state) => state.acts);
  const undoable = useStore(room.undoable);
  const notice = useStore(room.notice);
  useExpiry(undoable?.at_ms, UNDO_SHOWN_MS, () => room.undoable.set(null));
  useExpiry(notice?.at_ms, NOTICE_SHOWN_MS, () => room.notice.set(null));
  const shown = acts.filter((act) => !NOT_ACTS.has(act.act)).slice(-SHOWN);
  return (
    <div class="last">
      {notice !== null ? (
        <p class="notice bad" role="alert" data-testid="notice" data-code={notice.code}>
          {refusal(t, notice.code)}
        </p>
      ) : (
        <ul role="log" aria-label={t("desk.acts")} data-testid="acts">
          {shown.length === 0 && <li class="none">{t("desk.acts.none")}</li>}
          {shown.map((act) => (
            <li key={`${act.seq} ${act.act}`}>
              <time>{clock(act.at)}</time>
              <span>{describe(t, act)}</span>
              {act.by !== "" && <span class="by">{whoDid(t, act.by)}</span>}
            </li>
          ))}
        </ul>
      )}
      <button
        class="btn small"
        data-testid="undo"
        aria-keyshortcuts="Z"
        disabled={undoable === null}
        onClick={() => void room.undo()}
      >
        <Undo />
        {t("desk.undo")}
        <kbd>Z</kbd>
      </button>
    </div>
  );
}

/** An event in words. `detail` may say which mode; other details are for the minutes. */
export function describe(t: Translate, act: Act): string {
  const site = act.site?.name ?? "";
  const exact = `act.${act.act}.${act.detail}`;
  const plain = `act.${act.act}`;
  const key = isKey(exact) ? exact : isKey(plain) ? plain : "act.other";
  return (t as (key: Key, given: { site: string }) => string)(key, { site });
}

function isKey(text: string): text is Key {
  return Object.hasOwn(vi, text);
}
