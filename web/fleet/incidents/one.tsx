/** One incident: what is wrong, at which devices, all that happened, and what to do about it. */
import { useState } from "preact/hooks";
import type { Handler, IncidentAnswer, IncidentDevice, IncidentRow, NoticeLine, TimelineEntry } from "../../shared/fleet-wire";
import { language } from "../../shared/i18n";
import { refusal, told, useT } from "../i18n";
import { Confirm, Facts, Field, Mark, Moment, PageHead, Panel, Problem, Since, Skeleton, span, toast, useAct, useFleet, useLive, useNow, useStore } from "../ui";
import { holderOf } from "./filter";
import { devicesWords, nameOf, SeverityMark, StateTags } from "./marks";

const SHOWN = 8;

export function IncidentPage({ id }: { readonly id: string }) {
  const t = useT();
  const of = useStore(language);
  const fleet = useFleet();
  const path = `/incidents/${encodeURIComponent(id)}`;
  const asked = useLive(() => fleet.ask<IncidentAnswer>(path), [id], (changed) => changed.incidents.includes(id));
  const one = asked.value;
  return (
    <div class="incidents one" data-testid="incident">
      <p class="way">
        <a href="/fleet/incidents">← {t("incidents.board")}</a>
      </p>
      {one === undefined ? (
        asked.error === null ? (
          <Skeleton />
        ) : (
          <Problem error={asked.error} again={asked.again} />
        )
      ) : (
        <>
          <PageHead title={told(of, one.row.sentence)} sub={told(of, one.row.place)}>
            {one.may_handle && <Acts one={one} path={path} again={asked.again} />}
          </PageHead>
          <div class="beside">
            <Timeline one={one} path={path} again={asked.again} />
            <div class="stack">
              <Panel title={t("incidents.about")}>
                <About row={one.row} people={one.people} />
              </Panel>
              <Devices devices={one.devices} />
              {one.children.length > 0 && <Children rows={one.children} />}
              <Notices notices={one.notices} />
            </div>
          </div>
        </>
      )}
    </div>
  );
}

function About({ row, people }: { readonly row: IncidentRow; readonly people: readonly Handler[] }) {
  const t = useT();
  const now = useNow();
  const holder = holderOf(row);
  return (
    <Facts
      items={[
        [t("incidents.severity"), <SeverityMark severity={row.severity} />],
        [
          t("incidents.state"),
          <span class="who" data-testid="state" data-state={row.state}>
            <StateTags row={row} />
          </span>,
        ],
        [t("incidents.since"), <Moment at={row.opened_at} />],
        [t("incidents.lasted"), span(t, (row.closed_at ?? now) - row.opened_at)],
        [t("incidents.devices"), row.level === "device" ? null : devicesWords(row)],
        [t("incidents.who"), holder === "" ? t("incidents.nobody") : nameOf(people, holder)],
        [t("incidents.closed.at"), row.closed_at == null ? null : <Moment at={row.closed_at} />],
        [t("incidents.parent"), (row.parent ?? "") === "" ? null : <a href={`/fleet/incidents/${row.parent}`}>{t("incidents.parent.see")}</a>],
      ]}
    />
  );
}

type Asking = "assign" | "close" | "reopen" | null;

function Acts({ one, path, again }: { readonly one: IncidentAnswer; readonly path: string; readonly again: () => void }) {
  const t = useT();
  const fleet = useFleet();
  const { row, handlers } = one;
  const { waiting, act } = useAct();
  const [asking, setAsking] = useState<Asking>(null);
  const [to, setTo] = useState("");
  const [note, setNote] = useState("");
  const post = (what: string, body: object, done: string) =>
    fleet.ask(`${path}/${what}`, { method: "POST", body: { ...body, version: row.version } }).then(
      () => {
        toast(done);
        again();
      },
      (error: unknown) => {
        again();
        throw error;
      },
    );
  const ask = (what: Asking) => {
    setNote("");
    setTo(row.assignee ?? "");
    setAsking(what);
  };
  const needsNote = asking === "close" && row.ill > 0;
  const open = row.state === "open" || row.state === "acknowledged";
  return (
    <>
      {row.state === "open" && (
        <button class="btn primary" disabled={waiting} data-testid="acknowledge" onClick={() => act(() => post("acknowledge", {}, t("incidents.acknowledged")))}>
          {t("incidents.acknowledge")}
        </button>
      )}
      {row.state !== "closed" && (
        <button class="btn" data-testid="assign" onClick={() => ask("assign")}>
          {t("incidents.assign")}
        </button>
      )}
      {open && (
        <button class="btn" data-testid="close" onClick={() => ask("close")}>
          {t("incidents.close")}
        </button>
      )}
      {row.state === "closed" && (
        <button class="btn" data-testid="reopen" onClick={() => ask("reopen")}>
          {t("incidents.reopen")}
        </button>
      )}
      {asking === "assign" && (
        <Confirm title={t("incidents.assign.title")} verb={t("incidents.assign.do")} onDo={() => post("assign", { to }, t("incidents.assigned"))} onClose={() => setAsking(null)}>
          <Field label={t("incidents.assign.to")} hint={t("incidents.assign.hint")}>
            <select class="input" value={to} data-testid="assign-to" onChange={(event) => setTo(event.currentTarget.value)}>
              <option value="">{t("incidents.nobody")}</option>
              {handlers.map(({ account, name }) => (
                <option key={account} value={account}>
                  {name === account ? name : `${name} (${account})`}
                </option>
              ))}
            </select>
          </Field>
        </Confirm>
      )}
      {(asking === "close" || asking === "reopen") && (
        <Confirm
          title={t(asking === "close" ? "incidents.close.title" : "incidents.reopen")}
          verb={t(asking === "close" ? "incidents.close" : "incidents.reopen")}
          disabled={needsNote && note.trim().length < 3}
          onDo={() => post(asking, { note }, t(asking === "close" ? "incidents.closed.done" : "incidents.reopened"))}
          onClose={() => setAsking(null)}
        >
          <p>{t(asking === "reopen" ? "incidents.reopen.text" : needsNote ? "incidents.close.ill" : "incidents.close.well")}</p>
          <Field label={t("incidents.note")} optional={!needsNote}>
            <textarea class="input" maxLength={1000} value={note} data-testid="note" onInput={(event) => setNote(event.currentTarget.value)} />
          </Field>
        </Confirm>
      )}
    </>
  );
}

function Timeline({ one, path, again }: { readonly one: IncidentAnswer; readonly path: string; readonly again: () => void }) {
  const t = useT();
  return (
    <Panel title={t("incidents.timeline")} class="happened">
      {one.may_handle && <CommentBox path={path} again={again} />}
      <ol data-testid="timeline">
        {one.timeline.map((entry, i) => (
          <Line key={`${entry.at}-${i}`} entry={entry} />
        ))}
      </ol>
    </Panel>
  );
}

function CommentBox({ path, again }: { readonly path: string; readonly again: () => void }) {
  const t = useT();
  const fleet = useFleet();
  const { waiting, act } = useAct();
  const [text, setText] = useState("");
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    act(async () => {
      await fleet.ask(`${path}/comment`, { method: "POST", body: { text: text.trim() } });
      setText("");
      again();
    }, t("incidents.commented"));
  };
  return (
    <form class="comment" onSubmit={send}>
      <label>
        <span class="sr">{t("incidents.comment")}</span>
        <textarea
          class="input"
          placeholder={t("incidents.comment")}
          maxLength={1000}
          rows={2}
          value={text}
          data-testid="comment"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="btn" disabled={waiting || text.trim().length < 3} data-testid="comment-send">
        {t("incidents.comment.send")}
      </button>
    </form>
  );
}

const TONE_OF: Readonly<Record<string, "bad" | "warn" | "ok" | "info" | "quiet">> = {
  opened: "bad",
  reopened: "bad",
  "fell-ill": "bad",
  "severity-rose": "bad",
  escalated: "warn",
  "flap-began": "warn",
  "got-well": "ok",
  "flap-ended": "ok",
  closed: "ok",
  acknowledged: "info",
  assigned: "info",
  commented: "info",
};

function Line({ entry }: { readonly entry: TimelineEntry }) {
  const of = useStore(language);
  return (
    <li data-what={entry.what}>
      <Moment at={entry.at} />
      <div>
        <p>
          <Mark tone={TONE_OF[entry.what] ?? "quiet"} size={12}>
            {told(of, entry.said)}
          </Mark>
          {entry.name !== "" && <span class="aside"> · {entry.name}</span>}
        </p>
        {entry.text !== "" && <p class="written">{entry.text}</p>}
      </div>
    </li>
  );
}

function Devices({ devices }: { readonly devices: readonly IncidentDevice[] }) {
  const t = useT();
  const of = useStore(language);
  const [all, setAll] = useState(false);
  const shown = all ? devices : devices.slice(0, SHOWN);
  return (
    <Panel title={t("incidents.devices")}>
      <ul class="devices" data-testid="devices">
        {shown.map((device) => (
          <li key={device.id} data-well={device.well_at !== null}>
            <p>
              <a href={`/fleet/devices/${encodeURIComponent(device.id)}`}>{device.name}</a>{" "}
              {device.well_at === null ? <Since at={device.since} /> : <Mark tone="ok" size={12}>{t("incidents.works")}</Mark>}
            </p>
            {device.well_at === null && <p class="aside">{device.reasons.map((reason) => told(of, reason)).join("; ")}</p>}
          </li>
        ))}
      </ul>
      {devices.length > shown.length && (
        <button class="btn small" onClick={() => setAll(true)}>
          {t("incidents.devices.all", { n: devices.length })}
        </button>
      )}
    </Panel>
  );
}

function Children({ rows }: { readonly rows: readonly IncidentRow[] }) {
  const t = useT();
  const of = useStore(language);
  return (
    <Panel title={t("incidents.children")}>
      <ul class="devices">
        {rows.map((row) => (
          <li key={row.id}>
            <p>
              <a href={`/fleet/incidents/${encodeURIComponent(row.id)}`}>{told(of, row.sentence)}</a>
            </p>
            <p class="aside">{told(of, row.place)}</p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Notices({ notices }: { readonly notices: readonly NoticeLine[] }) {
  const t = useT();
  return (
    <Panel title={t("incidents.notices")}>
      {notices.length === 0 ? (
        <p class="aside">{t("incidents.notices.none")}</p>
      ) : (
        <ul class="devices" data-testid="notices">
          {notices.map((notice) => (
            <li key={notice.id}>
              <p>
                {notice.route} · {noticeKind(t, notice.kind)}
              </p>
              <p class="aside">
                {noticeState(t, notice.state)} <Moment at={notice.done_at ?? notice.due_at} />
                {notice.state !== "sent" && notice.code !== "" && ` · ${refusal(t, notice.code)}`}
              </p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

type T = ReturnType<typeof useT>;

/** What a notice told. */
export function noticeKind(t: T, kind: string): string {
  switch (kind) {
    case "opened":
      return t("incidents.kind.opened");
    case "reopened":
      return t("incidents.kind.reopened");
    case "worse":
      return t("incidents.kind.worse");
    case "escalated":
      return t("incidents.kind.escalated");
    case "closed":
      return t("incidents.kind.closed");
    case "digest":
      return t("incidents.kind.digest");
    default:
      return t("incidents.kind.test");
  }
}

/** How far a notice has come. */
export function noticeState(t: T, state: string): string {
  switch (state) {
    case "sent":
      return t("incidents.notice.sent");
    case "dead":
      return t("incidents.notice.dead");
    case "dropped":
      return t("incidents.notice.dropped");
    default:
      return t("incidents.notice.waiting");
  }
}
