/** What is to be done, how, and why: the same fields for one device and for many. */
import type { ActsAnswer } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { Field } from "../ui";
import { span } from "../ui/words";
import { HANOI_AHEAD_S, needsSecond, SESSIONS, waits, type Form, type Session } from "./form-state";
import type { ActName } from "./words";

const TTLS_S = [900, 3_600, 4 * 3_600, 86_400, 3 * 86_400, 7 * 86_400] as const;

interface Props {
  readonly form: Form;
  readonly acts: ActsAnswer;
  readonly devices: number;
  readonly onChange: (form: Form) => void;
}

export function ActFields({ form, acts, devices, onChange }: Props) {
  const t = useT();
  const set = (part: Partial<Form>) => onChange({ ...form, ...part });
  const info = acts.acts.find(({ act }) => act === form.act);
  const beside = waits(form, acts);
  return (
    <>
      <Field label={t("commands.act")} hint={t(`does.${form.act}`)}>
        <select
          class="input"
          data-first
          data-testid="act"
          value={form.act}
          onChange={(event) => set({ act: event.currentTarget.value as ActName, session: "wait", ttl_s: null })}
        >
          {acts.acts.map(({ act }) => (
            <option key={act} value={act}>
              {t(`act.${act as ActName}`)}
            </option>
          ))}
        </select>
      </Field>
      {form.act === "set-screen" && (
        <Field label={t("commands.screen")}>
          <select class="input" value={form.on ? "on" : "off"} onChange={(event) => set({ on: event.currentTarget.value === "on" })}>
            <option value="on">{t("commands.screen.on")}</option>
            <option value="off">{t("commands.screen.off")}</option>
          </select>
        </Field>
      )}
      {form.act === "set-volume" && (
        <Field label={t("commands.volume")}>
          <input
            class="input"
            type="number"
            min={0}
            max={100}
            step={5}
            required
            value={form.percent}
            onInput={(event) => set({ percent: Math.min(100, Math.max(0, event.currentTarget.valueAsNumber || 0)) })}
          />
        </Field>
      )}
      {form.act === "collect-logs" && (
        <Field label={t("commands.hours")}>
          <input
            class="input"
            type="number"
            min={1}
            max={72}
            required
            value={form.hours}
            onInput={(event) => set({ hours: Math.min(72, Math.max(1, Math.round(event.currentTarget.valueAsNumber) || 1)) })}
          />
        </Field>
      )}
      {form.act === "take-out-of-service" && (
        <Field label={t("commands.message")}>
          <textarea
            class="input"
            rows={2}
            maxLength={300}
            required
            value={form.message}
            onInput={(event) => set({ message: event.currentTarget.value })}
          />
        </Field>
      )}
      <Field label={t("commands.why")} hint={t("commands.why.hint")}>
        <input
          class="input"
          data-testid="why"
          minLength={3}
          maxLength={300}
          required
          value={form.why}
          onInput={(event) => set({ why: event.currentTarget.value })}
        />
      </Field>
      {beside === "never" && <p class="hint">{t("commands.session.never")}</p>}
      <div class="command-row">
        {beside === "disturbs" && (
          <Field label={t("commands.session")}>
            <select
              class="input"
              data-testid="session"
              value={form.session}
              onChange={(event) => set({ session: event.currentTarget.value as Session })}
            >
              {SESSIONS.map((one) => (
                <option key={one} value={one}>
                  {t(`commands.session.${one}`)}
                </option>
              ))}
            </select>
          </Field>
        )}
        <Field label={t("commands.ttl")}>
          <select
            class="input"
            value={String(form.ttl_s ?? info?.ttl_s ?? 3_600)}
            onChange={(event) => set({ ttl_s: Number(event.currentTarget.value) })}
          >
            {TTLS_S.map((one) => (
              <option key={one} value={String(one)}>
                {span(t, one)}
              </option>
            ))}
          </select>
        </Field>
        <Field label={t("commands.when")}>
          <select
            class="input"
            value={form.at === "" ? "now" : "later"}
            onChange={(event) => set({ at: event.currentTarget.value === "now" ? "" : tonight() })}
          >
            <option value="now">{t("commands.when.now")}</option>
            <option value="later">{t("commands.when.later")}</option>
          </select>
        </Field>
        {form.at !== "" && (
          <Field label={t("commands.when.at")}>
            <input
              class="input"
              type="datetime-local"
              required
              value={form.at}
              onInput={(event) => event.currentTarget.value !== "" && set({ at: event.currentTarget.value })}
            />
          </Field>
        )}
      </div>
      {needsSecond(form, acts, devices) && (
        <p class="notice warn" data-testid="needs-second">
          {t("commands.second")}
        </p>
      )}
    </>
  );
}

/** 22:00 of today in Hà Nội, as a datetime-local has it. */
function tonight(): string {
  return `${new Date(Date.now() + HANOI_AHEAD_S * 1000).toISOString().slice(0, 10)}T22:00`;
}
