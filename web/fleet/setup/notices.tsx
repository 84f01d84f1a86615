/** The routes by which notices go out, and the hours and limits that hold for all. */
import { useState } from "preact/hooks";
import type { NoticeSettings, Route, SecretAnswer, SetupAnswer, TestAnswer } from "../../shared/fleet-wire";
import { refusal, useT } from "../i18n";
import { shortName } from "../place-words";
import { Confirm, Dialog, Empty, Field, Mark, Panel, Problem, Skeleton, Tag, toast, useAct, useFleet, useLive, usePlaces } from "../ui";
import { freshRoute } from "./fresh";
import { clockOf, minuteOf } from "./minutes";
import { EditRoute } from "./route";

export function NoticesTab() {
  const t = useT();
  const fleet = useFleet();
  const asked = useLive(() => fleet.ask<SetupAnswer>("/notices/settings"), []);
  const [editing, setEditing] = useState<Route | null>(null);
  const [dropping, setDropping] = useState<Route | null>(null);
  if (asked.value === undefined) return asked.error === null ? <Skeleton /> : <Problem error={asked.error} again={asked.again} />;
  const { settings, mail_server, mail_sender } = asked.value;
  const save = async (changed: Partial<NoticeSettings>): Promise<void> => {
    try {
      await fleet.ask<SetupAnswer>("/notices/settings", { method: "PUT", body: { ...settings, ...changed } });
      toast(t("ui.saved"));
    } finally {
      asked.again();
    }
  };
  const put = (route: Route) => {
    const known = settings.routes.some(({ id }) => id === route.id);
    return save({ routes: known ? settings.routes.map((one) => (one.id === route.id ? route : one)) : [...settings.routes, route] });
  };
  const needsMail = mail_server === "" && settings.routes.some(({ channel }) => channel === "email");
  return (
    <div class="columns">
      <Panel
        title={t("setup.routes")}
        actions={
          <button class="btn primary" data-testid="new-route" onClick={() => setEditing(freshRoute(settings.routes))}>
            {t("setup.route.new")}
          </button>
        }
      >
        <p class="aside">{mail_server === "" ? t("setup.mail.none") : t("setup.mail", { server: mail_server, sender: mail_sender })}</p>
        {needsMail && <p class="notice warn">{t("setup.mail.needed")}</p>}
        {settings.routes.length === 0 ? (
          <Empty title={t("setup.routes.none")}>
            <p>{t("setup.routes.none.text")}</p>
          </Empty>
        ) : (
          <ul class="routes" data-testid="routes">
            {settings.routes.map((route) => (
              <RouteCard key={route.id} route={route} onEdit={() => setEditing(route)} onDrop={() => setDropping(route)} />
            ))}
          </ul>
        )}
      </Panel>
      <Times settings={settings} onSave={save} key={settings.version} />
      {editing !== null && <EditRoute route={editing} hooks_may_be_private={asked.value.private_webhooks} onSave={put} onClose={() => setEditing(null)} />}
      {dropping !== null && (
        <Confirm
          title={t("setup.route.drop.title", { name: dropping.name })}
          verb={t("setup.route.drop")}
          danger
          onDo={() => save({ routes: settings.routes.filter(({ id }) => id !== dropping.id) })}
          onClose={() => setDropping(null)}
        >
          <p>{t("setup.route.drop.text")}</p>
        </Confirm>
      )}
    </div>
  );
}

function RouteCard({ route, onEdit, onDrop }: { readonly route: Route; readonly onEdit: () => void; readonly onDrop: () => void }) {
  const t = useT();
  const fleet = useFleet();
  const places = usePlaces();
  const { waiting, act } = useAct();
  const [result, setResult] = useState<TestAnswer | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const [renewing, setRenewing] = useState(false);
  const path = `/notices/routes/${encodeURIComponent(route.id)}`;
  const where =
    route.districts.length === 0
      ? t("setup.everywhere")
      : route.districts.map((code) => shortName(places?.district.get(code)?.name ?? code)).join(", ");
  return (
    <li data-route={route.id}>
      <div class="route">
        <div>
          <p>
            <strong>{route.name}</strong> {!route.on && <Tag tone="warn">{t("setup.off")}</Tag>}
          </p>
          <p class="to">{route.channel === "email" ? route.addresses.join(", ") : route.url}</p>
          <p class="aside">
            {[
              t(route.channel === "email" ? "setup.email" : "setup.webhook"),
              route.escalations ? t("setup.only.escalations") : t("setup.from", { severity: t(`incidents.severity.${route.least}`).toLowerCase() }),
              where,
              ...(route.digest ? [t("setup.digest.short")] : []),
              ...(route.quiet ? [t("setup.quiet.short")] : []),
            ].join(" · ")}
          </p>
        </div>
        <div class="acts">
          <button
            class="btn small"
            disabled={waiting}
            data-testid="test"
            onClick={() => act(async () => setResult(await fleet.ask<TestAnswer>(`${path}/test`, { method: "POST" })))}
          >
            {waiting ? t("ui.working") : t("setup.test")}
          </button>
          {route.channel === "webhook" && (
            <button class="btn small" data-testid="secret" onClick={() => setRenewing(true)}>
              {t("setup.secret")}
            </button>
          )}
          <button class="btn small" data-testid="edit" onClick={onEdit}>
            {t("setup.edit")}
          </button>
          <button class="btn small danger" data-testid="drop" onClick={onDrop}>
            {t("setup.route.drop")}
          </button>
        </div>
      </div>
      {result !== null && (
        <ul class="results" role="status" data-testid="results">
          {result.results.map(({ to, code, text }) => (
            <li key={to} data-code={code} title={text}>
              <Mark tone={code === "" ? "ok" : "bad"} size={12}>
                {code === "" ? t("setup.test.ok", { to }) : t("setup.test.failed", { to, why: refusal(t, code) })}
              </Mark>
            </li>
          ))}
        </ul>
      )}
      {renewing && (
        <Confirm
          title={t("setup.secret.title")}
          verb={t("setup.secret")}
          onDo={async () => setSecret((await fleet.ask<SecretAnswer>(`${path}/secret`, { method: "POST" })).secret)}
          onClose={() => setRenewing(false)}
        >
          <p>{t("setup.secret.text")}</p>
        </Confirm>
      )}
      {secret !== null && (
        <Dialog title={t("setup.secret.shown")} onClose={() => setSecret(null)}>
          <p>{t("setup.secret.once")}</p>
          <p>
            <code data-testid="secret-shown">{secret}</code>
          </p>
          <div class="buttons">
            <button class="btn primary" onClick={() => setSecret(null)}>
              {t("ui.close")}
            </button>
          </div>
        </Dialog>
      )}
    </li>
  );
}

interface TimesProps {
  readonly settings: NoticeSettings;
  readonly onSave: (changed: Partial<NoticeSettings>) => Promise<void>;
}

function Times({ settings, onSave }: TimesProps) {
  const t = useT();
  const { waiting, act } = useAct();
  const [from, setFrom] = useState(clockOf(settings.quiet.from_minute));
  const [to, setTo] = useState(clockOf(settings.quiet.to_minute));
  const [critical, setCritical] = useState(String(settings.escalate_critical_minutes));
  const [major, setMajor] = useState(String(settings.escalate_major_minutes));
  const [digest, setDigest] = useState(clockOf(settings.digest_minute));
  const [days, setDays] = useState(String(settings.silent_days));
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    act(() =>
      onSave({
        quiet: { from_minute: minuteOf(from), to_minute: minuteOf(to) },
        escalate_critical_minutes: Number(critical),
        escalate_major_minutes: Number(major),
        digest_minute: minuteOf(digest),
        silent_days: Number(days),
      }),
    );
  };
  const minutes = (value: string, set: (value: string) => void, testid: string) => (
    <input class="input" type="number" min={0} max={1440} required value={value} data-testid={testid} onInput={(event) => set(event.currentTarget.value)} />
  );
  const time = (value: string, set: (value: string) => void, testid: string) => (
    <input class="input" type="time" required value={value} data-testid={testid} onInput={(event) => set(event.currentTarget.value)} />
  );
  return (
    <Panel title={t("setup.times")}>
      <form class="stack" onSubmit={save}>
        <fieldset>
          <legend>{t("setup.quiet")}</legend>
          <p class="hint">{t("setup.quiet.hint")}</p>
          <div class="two">
            <Field label={t("setup.quiet.from")}>{time(from, setFrom, "quiet-from")}</Field>
            <Field label={t("setup.quiet.to")}>{time(to, setTo, "quiet-to")}</Field>
          </div>
        </fieldset>
        <fieldset>
          <legend>{t("setup.escalate")}</legend>
          <p class="hint">{t("setup.escalate.hint")}</p>
          <div class="two">
            <Field label={t("setup.escalate.critical")}>{minutes(critical, setCritical, "escalate-critical")}</Field>
            <Field label={t("setup.escalate.major")}>{minutes(major, setMajor, "escalate-major")}</Field>
          </div>
        </fieldset>
        <fieldset>
          <legend>{t("setup.digest")}</legend>
          <p class="hint">{t("setup.digest.hint")}</p>
          <div class="two">
            <Field label={t("setup.digest.at")}>{time(digest, setDigest, "digest-at")}</Field>
            <Field label={t("setup.digest.days")}>
              <input class="input" type="number" min={1} max={90} required value={days} data-testid="silent-days" onInput={(event) => setDays(event.currentTarget.value)} />
            </Field>
          </div>
        </fieldset>
        <div class="buttons">
          <button type="submit" class="btn primary" disabled={waiting} data-testid="save-times">
            {waiting ? t("ui.working") : t("ui.save")}
          </button>
        </div>
      </form>
    </Panel>
  );
}
