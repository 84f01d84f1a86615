/** Opening hours, day by day, with the usual ones ready-made. */
import { Cross } from "../../shared/icons";
import type { Hours } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { Select } from "../ui";
import { DAYS, isSound, minuteOf, ordered, PRESETS, same, timeOf } from "./hours";

const NAMES = ["always", "office", "daily"] as const;
const FIRST = { from_minute: 480, to_minute: 1_020 } as const;

export function HoursEditor({ hours, onChange }: { readonly hours: readonly Hours[]; readonly onChange: (hours: readonly Hours[]) => void }) {
  const t = useT();
  const preset = NAMES.find((name) => same(PRESETS[name], hours)) ?? "own";
  const set = (at: Hours, part: Partial<Hours> | null) =>
    onChange(hours.flatMap((one) => (one === at ? (part === null ? [] : [{ ...one, ...part }]) : [one])));
  const add = (weekday: number) => {
    const last = ordered(hours).findLast((one) => one.weekday === weekday);
    const from = last === undefined ? FIRST.from_minute : Math.min(last.to_minute + 60, 1_380);
    const to = last === undefined ? FIRST.to_minute : Math.min(from + 240, 1_440);
    onChange(ordered([...hours, { weekday, from_minute: from, to_minute: to }]));
  };
  return (
    <div class="hours" data-testid="hours">
      <Select
        label={t("hours.preset")}
        value={preset}
        options={[
          ...NAMES.map((name) => ({ value: name, label: t(`hours.${name}`) })),
          { value: "own", label: t("hours.own") },
        ]}
        onChange={(name) => {
          if (name === "own") onChange(hours.length === 0 ? [{ weekday: 0, ...FIRST }] : hours);
          else onChange(PRESETS[name as (typeof NAMES)[number]]);
        }}
        testid="hours-preset"
      />
      {hours.length > 0 && (
        <ul>
          {DAYS.map((day) => (
            <li key={day} data-day={day}>
              <span class="day">{t(`day.${day}`)}</span>
              <span class="stretches">
                {hours.every(({ weekday }) => weekday !== day) && <span class="aside">{t("hours.closed")}</span>}
                {ordered(hours)
                  .filter(({ weekday }) => weekday === day)
                  .map((one, i) => (
                    <span key={i} class="stretch">
                      <Time label={`${t(`day.${day}`)}: ${t("hours.from")}`} minute={one.from_minute} onChange={(from_minute) => set(one, { from_minute })} />
                      –
                      <Time label={`${t(`day.${day}`)}: ${t("hours.to")}`} minute={one.to_minute} onChange={(to_minute) => set(one, { to_minute })} />
                      <button type="button" class="btn quiet small icon-only" aria-label={t("hours.remove")} title={t("hours.remove")} onClick={() => set(one, null)}>
                        <Cross size={14} />
                      </button>
                    </span>
                  ))}
              </span>
              <button type="button" class="btn quiet small" onClick={() => add(day)}>
                {t("hours.add")}
              </button>
            </li>
          ))}
        </ul>
      )}
      {!isSound(hours) && (
        <p class="wrong" role="alert">
          {t("hours.wrong")}
        </p>
      )}
    </div>
  );
}

/** A time of the day as text, since a browser's own field knows no 24:00. */
function Time({ label, minute, onChange }: { readonly label: string; readonly minute: number; readonly onChange: (minute: number) => void }) {
  return (
    <input
      class="input"
      aria-label={label}
      inputMode="numeric"
      size={5}
      value={timeOf(minute)}
      onChange={(event) => {
        const next = minuteOf(event.currentTarget.value);
        if (next === null) event.currentTarget.value = timeOf(minute);
        else onChange(next);
      }}
    />
  );
}
