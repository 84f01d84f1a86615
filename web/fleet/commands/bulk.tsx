/** A dialogue: one act for many devices. First what would happen, then doing exactly that. */
import { useRef, useState } from "preact/hooks";
import type { ActsAnswer, BulkRow, DeviceRow, DryRunAnswer } from "../../shared/fleet-wire";
import { language, number } from "../../shared/i18n";
import { told, useT } from "../i18n";
import { go } from "../router";
import { Confirm, Field, Skeleton, Dialog, toast, useFleet, useLive, useRows, useStore } from "../ui";
import { span } from "../ui/words";
import { ActFields } from "./form";
import { askedBy, emptyForm, needsSecond, type Form } from "./form-state";
import { actWords, requestKey } from "./words";

const PACES = { slow: { per_batch: 5, every_s: 60 }, medium: { per_batch: 20, every_s: 30 }, fast: { per_batch: 100, every_s: 10 } } as const;
const FATES = ["at-once", "waits-for-session", "waits-for-line", "refused"] as const;
const NAMED = 5;

interface Props {
  readonly devices: readonly DeviceRow[];
  readonly onClose: () => void;
}

export function Bulk({ devices, onClose }: Props) {
  const t = useT();
  const fleet = useFleet();
  const { value: acts } = useLive(() => fleet.ask<ActsAnswer>("/acts"), []);
  // What was chosen when the dialogue opened: the list behind it goes on changing.
  const chosen = useRef(devices.map(({ id }) => id)).current;
  const [form, setForm] = useState<Form>(() => emptyForm("restart-page", t("commands.message.default")));
  const [pace, setPace] = useState<keyof typeof PACES | "">("");
  const [run, setRun] = useState<DryRunAnswer | null>(null);
  const shown = useRef(false);
  if (acts === undefined) {
    return (
      <Dialog title={t("bulk.title", { n: chosen.length })} onClose={onClose}>
        <Skeleton />
      </Dialog>
    );
  }
  const asked = askedBy(form, acts);
  const back = () => {
    shown.current = false;
    setRun(null);
  };
  if (run !== null && asked !== null) {
    return <Preview run={run} act={actWords(t, asked.do)} why={asked.why} onBack={back} onClose={onClose} />;
  }
  const preview = async () => {
    if (asked === null) return;
    const body = { selection: { devices: chosen }, do: asked.do, plan: asked.plan, pace: pace === "" ? null : PACES[pace] };
    setRun(await fleet.ask<DryRunAnswer>("/dry-runs", { method: "POST", body }));
    shown.current = true;
  };
  return (
    <Confirm
      title={t("bulk.title", { n: chosen.length })}
      verb={t("bulk.preview")}
      danger={needsSecond(form, acts, chosen.length)}
      disabled={asked === null}
      onDo={preview}
      // Confirm closes after it is done; the preview is what comes instead.
      onClose={() => shown.current || onClose()}
      wide
      testid="bulk"
    >
      <ActFields form={form} acts={acts} devices={chosen.length} onChange={setForm} />
      <Field label={t("bulk.pace")}>
        <select class="input" value={pace} onChange={(event) => setPace(event.currentTarget.value as keyof typeof PACES | "")}>
          <option value="">{t("bulk.pace.default")}</option>
          {(Object.keys(PACES) as (keyof typeof PACES)[]).map((one) => (
            <option key={one} value={one}>
              {t(`bulk.pace.${one}`)}
            </option>
          ))}
        </select>
      </Field>
    </Confirm>
  );
}

interface PreviewProps {
  readonly run: DryRunAnswer;
  readonly act: string;
  readonly why: string;
  readonly onBack: () => void;
  readonly onClose: () => void;
}

function Preview({ run, act, why, onBack, onClose }: PreviewProps) {
  const t = useT();
  const of = useStore(language);
  const fleet = useFleet();
  const rows = useRows();
  const key = useRef(requestKey()).current;
  const refused = run.rows.filter(({ fate }) => fate === "refused");
  const willing = run.rows.length - refused.length;
  const send = async () => {
    const bulk = await fleet.ask<BulkRow>("/bulks", { method: "POST", body: { token: run.token, why, request_key: key } });
    toast(t(bulk.second ? "bulk.sent.waiting" : "bulk.sent", { n: bulk.many }));
    go(`/fleet/commands?tab=bulks&bulk=${encodeURIComponent(bulk.id)}`);
  };
  return (
    <Confirm
      title={act}
      verb={t("bulk.do", { n: willing })}
      danger={run.second}
      disabled={willing === 0}
      onDo={send}
      onClose={onClose}
      wide
      testid="preview"
    >
      <p>{willing === 0 ? t("bulk.nobody") : t("bulk.shows")}</p>
      <ul class="fates">
        {FATES.map((fate) => (
          <li key={fate} data-fate={fate} data-none={(run.counts[fate] ?? 0) === 0}>
            <strong>{number(run.counts[fate] ?? 0)}</strong> {t(`fate.${fate}`)}
          </li>
        ))}
      </ul>
      {willing > 0 && (
        <p class="hint">
          {run.lasts_s > 0 ? t("bulk.lasts", { n: run.pace.per_batch, time: span(t, run.lasts_s) }) : t("bulk.lasts.once")}
        </p>
      )}
      {refused.length > 0 && (
        <div class="left-out">
          <h3>{t("bulk.refused")}</h3>
          <ul>
            {run.reasons.map((reason) => {
              const those = refused.filter(({ code }) => code === reason.code);
              const names = those.slice(0, NAMED).map(({ device }) => rows.get(device)?.name ?? device);
              return (
                <li key={reason.code} data-code={reason.code}>
                  {told(of, reason)} {names.join(", ")}
                  {those.length > NAMED && ` ${t("bulk.refused.more", { n: those.length - NAMED })}`}
                </li>
              );
            })}
          </ul>
        </div>
      )}
      {run.second && <p class="notice warn">{t("commands.second")}</p>}
      <button type="button" class="btn quiet back" onClick={onBack}>
        {t("bulk.back")}
      </button>
    </Confirm>
  );
}
