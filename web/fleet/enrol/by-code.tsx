/** Three steps with one device: its code, its words, its place; and then its first heartbeat. */
import { useEffect, useRef, useState } from "preact/hooks";
import { codeOf } from "../../shared/problem";
import type { DeviceKind, EnrolmentRow, Place } from "../../shared/fleet-wire";
import { NOWHERE, PlaceFields } from "../device/edit";
import { isSound } from "../device/hours";
import { refusal, useT } from "../i18n";
import { Ago, Facts, Field, Mark, Panel, Problem, useFleet, useRow } from "../ui";
import { Refuse } from "./waiting";

const KINDS: readonly DeviceKind[] = ["kiosk", "bridge-point"];
const LENGTH = 6;

type Step =
  | { readonly kind: "code" }
  | { readonly kind: "words"; readonly code: string; readonly row: EnrolmentRow }
  | { readonly kind: "place"; readonly code: string; readonly row: EnrolmentRow }
  | { readonly kind: "bound"; readonly row: EnrolmentRow };

/** The code in the address's fragment, which is taken out of the history at once. */
function fromAddress(): string {
  const code = decodeURIComponent(location.hash.slice(1)).slice(0, 20);
  if (code !== "") history.replaceState(null, "", location.pathname + location.search);
  return code;
}

export function ByCode({ enrolments }: { readonly enrolments: readonly EnrolmentRow[] }) {
  const [step, setStep] = useState<Step>({ kind: "code" });
  const [scanned, setScanned] = useState(fromAddress);
  useEffect(() => {
    const moved = () => {
      const code = fromAddress();
      if (code === "") return;
      setStep({ kind: "code" });
      setScanned(code);
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  const restart = () => {
    setScanned("");
    setStep({ kind: "code" });
  };
  const now = step.kind === "code" ? undefined : enrolments.find(({ id }) => id === step.row.id);

  if (step.kind === "code") return <CodeStep key={scanned} scanned={scanned} onFound={(code, row) => setStep({ kind: "words", code, row })} />;
  if (step.kind === "bound") return <BoundStep row={now ?? step.row} onNext={restart} />;
  const ended = now !== undefined && now.state !== "waiting" ? now.state : null;
  if (ended === "expired" || ended === "refused" || ended === "locked") return <Ended state={ended} onNext={restart} />;
  if (step.kind === "words") return <WordsStep row={step.row} onSame={() => setStep({ ...step, kind: "place" })} onNext={restart} />;
  return <PlaceStep code={step.code} row={step.row} onBound={(row) => setStep({ kind: "bound", row })} onNext={restart} />;
}

function CodeStep({ scanned, onFound }: { readonly scanned: string; readonly onFound: (code: string, row: EnrolmentRow) => void }) {
  const t = useT();
  const fleet = useFleet();
  const [code, setCode] = useState(scanned);
  const [waiting, setWaiting] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const there = useRef(true);
  const find = (wanted: string) => {
    setWaiting(true);
    setProblem(null);
    fleet.ask<EnrolmentRow>("/enrolments/find", { method: "POST", body: { code: wanted } }).then(
      (row) => there.current && onFound(wanted, row),
      (error: unknown) => {
        if (!there.current) return;
        setWaiting(false);
        setProblem(codeOf(error));
      },
    );
  };
  useEffect(() => {
    if (scanned !== "") find(scanned);
    return () => void (there.current = false);
  }, []);
  const typed = code.replace(/[\s-]/g, "");
  return (
    <div class="code-and-guide">
      <Panel>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!waiting) find(code);
        }}
      >
        <Field label={t("enrol.code")} hint={t("enrol.code.hint")} error={problem === null ? null : refusal(t, problem)}>
          <input
            class="input code"
            value={code}
            maxLength={12}
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            autofocus
            data-testid="code"
            onInput={(event) => setCode(event.currentTarget.value)}
          />
        </Field>
        <div class="buttons">
          <button type="submit" class="btn primary" disabled={waiting || typed.length < LENGTH} data-testid="find">
            {waiting ? t("enrol.finding") : t("enrol.find")}
          </button>
        </div>
      </form>
    </Panel>
    <Panel title={t("enrol.guide")}>
      <ol class="four-steps">
        <li>{t("enrol.guide.1")}</li>
        <li>{t("enrol.guide.2")}</li>
        <li>{t("enrol.guide.3")}</li>
        <li>{t("enrol.guide.4")}</li>
      </ol>
    </Panel>
    </div>
  );
}

function Words({ words }: { readonly words: readonly string[] }) {
  return (
    <ol class="words" data-testid="words">
      {words.map((word, i) => (
        <li key={i} lang="vi">
          {word}
        </li>
      ))}
    </ol>
  );
}

interface WordsProps {
  readonly row: EnrolmentRow;
  readonly onSame: () => void;
  readonly onNext: () => void;
}

function WordsStep({ row, onSame, onNext }: WordsProps) {
  const t = useT();
  const [refusing, setRefusing] = useState(false);
  return (
    <Panel title={t("enrol.words")} class="form">
      <div class="stack">
        <p class="aside">{t("enrol.words.hint")}</p>
        <Words words={row.words} />
        <Facts
          items={[
            [t("enrol.hardware"), row.hardware],
            [t("enrol.agent"), row.agent],
            [t("enrol.address"), row.address],
            [t("enrol.asked"), <Ago at={row.asked_at} />],
          ]}
        />
        <div class="buttons">
          <button class="btn" onClick={onNext}>
            {t("enrol.another")}
          </button>
          <span class="gap" />
          <button class="btn danger" data-testid="words-differ" onClick={() => setRefusing(true)}>
            {t("enrol.words.other")}
          </button>
          <button class="btn primary" data-testid="words-same" onClick={onSame}>
            {t("enrol.words.same")}
          </button>
        </div>
      </div>
      {refusing && <Refuse row={row} onDone={onNext} onClose={() => setRefusing(false)} />}
    </Panel>
  );
}

interface PlaceProps {
  readonly code: string;
  readonly row: EnrolmentRow;
  readonly onBound: (row: EnrolmentRow) => void;
  readonly onNext: () => void;
}

function PlaceStep({ code, row, onBound, onNext }: PlaceProps) {
  const t = useT();
  const fleet = useFleet();
  const [name, setName] = useState("");
  const [kind, setKind] = useState<DeviceKind>(row.kind);
  const [place, setPlace] = useState<Place>(NOWHERE);
  const [waiting, setWaiting] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const ready = name.trim() !== "" && place.unit !== "" && isSound(place.hours);
  const bind = (event: SubmitEvent) => {
    event.preventDefault();
    if (waiting) return;
    setWaiting(true);
    setProblem(null);
    const body = { code, fingerprint: row.fingerprint, name: name.trim(), kind, place };
    fleet.ask<EnrolmentRow>(`/enrolments/${encodeURIComponent(row.id)}/bind`, { method: "POST", body }).then(onBound, (error: unknown) => {
      setWaiting(false);
      setProblem(error);
    });
  };
  return (
    <Panel title={t("enrol.place")} class="form">
      <form class="stack" onSubmit={bind}>
        <p class="compared">
          <Mark tone="ok">{t("enrol.compared")}</Mark> <span lang="vi">{row.words.join(" · ")}</span>
        </p>
        <div class="two">
          <Field label={t("enrol.name")} hint={t("enrol.name.hint")}>
            <input class="input" value={name} maxLength={100} required autofocus data-testid="name" onInput={(event) => setName(event.currentTarget.value)} />
          </Field>
          <Field label={t("enrol.kind")}>
            <select class="input" value={kind} data-testid="kind" onChange={(event) => setKind(event.currentTarget.value as DeviceKind)}>
              {KINDS.map((one) => (
                <option key={one} value={one}>
                  {t(`kind.${one}`)}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <PlaceFields place={place} onChange={setPlace} />
        {problem !== null && <Problem error={problem} />}
        <div class="buttons">
          <button type="button" class="btn" onClick={onNext}>
            {t("enrol.another")}
          </button>
          <span class="gap" />
          <button type="submit" class="btn primary" disabled={!ready || waiting} data-testid="bind">
            {waiting ? t("ui.working") : t("enrol.bind")}
          </button>
        </div>
      </form>
    </Panel>
  );
}

function BoundStep({ row, onNext }: { readonly row: EnrolmentRow; readonly onNext: () => void }) {
  const t = useT();
  const device = useRow(row.device ?? "");
  if (row.state === "expired" || row.state === "refused" || row.state === "locked") return <Ended state={row.state} onNext={onNext} />;
  const connected = device?.seen_at != null;
  const collected = row.device != null;
  const word = connected ? "enrol.connected" : collected ? "enrol.collected" : "enrol.bound";
  const text = connected ? "enrol.connected.text" : collected ? "enrol.collected.text" : "enrol.bound.text";
  return (
    <Panel class="narrow">
      <div class="stack" role="status" data-testid="result" data-state={connected ? "connected" : row.state}>
        <p class="result">
          <Mark tone={connected ? "ok" : "info"} size={22}>
            {t(word)}
          </Mark>
        </p>
        <p>
          <strong>{row.name}</strong>
        </p>
        <p class="aside">{t(text)}</p>
        <div class="buttons">
          {collected && (
            <a class="btn" href={`/fleet/devices/${encodeURIComponent(row.device ?? "")}`} data-testid="open-device">
              {t("enrol.open")}
            </a>
          )}
          <button class="btn primary" onClick={onNext}>
            {t("enrol.next")}
          </button>
        </div>
      </div>
    </Panel>
  );
}

function Ended({ state, onNext }: { readonly state: "expired" | "refused" | "locked"; readonly onNext: () => void }) {
  const t = useT();
  return (
    <Panel class="narrow">
      <div class="stack">
        <p class="notice bad" role="alert" data-state={state}>
          {t(`enrol.ended.${state}`)}
        </p>
        <div class="buttons">
          <button class="btn primary" onClick={onNext}>
            {t("enrol.another")}
          </button>
        </div>
      </div>
    </Panel>
  );
}
