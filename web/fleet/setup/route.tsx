/** One route, to be changed: who, what for, from which severity on. */
import { useState } from "preact/hooks";
import type { Route, Severity } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { SEVERITIES } from "../incidents/marks";
import { shortName } from "../place-words";
import { Confirm, Field, usePlaces } from "../ui";

interface Props {
  readonly route: Route;
  readonly hooks_may_be_private: boolean;
  readonly onSave: (route: Route) => Promise<unknown>;
  readonly onClose: () => void;
}

export function EditRoute({ route: before, hooks_may_be_private, onSave, onClose }: Props) {
  const t = useT();
  const places = usePlaces();
  const [route, setRoute] = useState(before);
  const [addresses, setAddresses] = useState(before.addresses.join("\n"));
  const put = (changed: Partial<Route>) => setRoute({ ...route, ...changed });
  const list = addresses.split(/[\s,;]+/).filter((one) => one !== "");
  const email = route.channel === "email";
  const ready = route.name.trim() !== "" && (email ? list.length > 0 && list.every((one) => /^[^@]+@[^@]+$/.test(one)) : /^https?:\/\/./.test(route.url));
  const save = () =>
    onSave({ ...route, name: route.name.trim(), addresses: email ? list : [], url: email ? "" : route.url.trim() });
  const tick = (name: "on" | "escalations" | "digest" | "quiet", label: string, hint: string) => (
    <label class="tickbox">
      <input type="checkbox" checked={route[name]} data-testid={`route-${name}`} onChange={(event) => put({ [name]: event.currentTarget.checked })} />
      <span>
        {label}
        <span class="hint">{hint}</span>
      </span>
    </label>
  );
  return (
    <Confirm title={before.name === "" ? t("setup.route.new") : before.name} verb={t("ui.save")} disabled={!ready} onDo={save} onClose={onClose} wide testid="edit-route">
      <div class="setup-two">
        <Field label={t("setup.route.name")}>
          <input class="input" maxLength={60} value={route.name} required data-first data-testid="route-name" onInput={(event) => put({ name: event.currentTarget.value })} />
        </Field>
        <Field label={t("setup.channel")}>
          <select class="input" value={route.channel} data-testid="route-channel" onChange={(event) => put(event.currentTarget.value === "email" ? { channel: "email" } : { channel: "webhook", quiet: false })}>
            <option value="email">{t("setup.email")}</option>
            <option value="webhook">{t("setup.webhook")}</option>
          </select>
        </Field>
      </div>
      {email ? (
        <Field label={t("setup.addresses")} hint={t("setup.addresses.hint")}>
          <textarea class="input" rows={2} value={addresses} data-testid="route-addresses" onInput={(event) => setAddresses(event.currentTarget.value)} />
        </Field>
      ) : (
        <Field label={t("setup.url")} hint={t(hooks_may_be_private ? "setup.url.private" : "setup.url.hint")}>
          <input class="input" type="url" maxLength={500} value={route.url} data-testid="route-url" onInput={(event) => put({ url: event.currentTarget.value })} />
        </Field>
      )}
      <div class="setup-two">
        <Field label={t("setup.least")}>
          <select class="input" value={route.least} data-testid="route-least" onChange={(event) => put({ least: event.currentTarget.value as Severity })}>
            {SEVERITIES.map((severity) => (
              <option key={severity} value={severity}>
                {t(`incidents.severity.${severity}`)}
              </option>
            ))}
          </select>
        </Field>
        <Field label={t("setup.language")}>
          <select class="input" value={route.language} onChange={(event) => put({ language: event.currentTarget.value === "en" ? "en" : "vi" })}>
            <option value="vi">Tiếng Việt</option>
            <option value="en">English</option>
          </select>
        </Field>
      </div>
      <Field label={t("setup.districts")} hint={t("setup.districts.hint")}>
        <select
          class="input"
          multiple
          size={5}
          data-testid="route-districts"
          onChange={(event) => put({ districts: [...event.currentTarget.selectedOptions].map(({ value }) => value) })}
        >
          {(places?.districts ?? []).map(({ code, name }) => (
            <option key={code} value={code} selected={route.districts.includes(code)}>
              {shortName(name)}
            </option>
          ))}
        </select>
      </Field>
      <div class="setup-two">
        {tick("on", t("setup.on"), t("setup.on.hint"))}
        {tick("quiet", t("setup.keeps.quiet"), t("setup.keeps.quiet.hint"))}
        {tick("escalations", t("setup.escalations"), t("setup.escalations.hint"))}
        {tick("digest", t("setup.has.digest"), t("setup.has.digest.hint"))}
      </div>
    </Confirm>
  );
}
