/** The links by which one bridge point enters: which are live, a new one, the end of one. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../../shared/dialog";
import { moment, useT } from "../../shared/i18n";
import { codeOf } from "../../shared/problem";
import { refusal } from "../../shared/refusal";
import * as rest from "../../shared/rest";
import type { LinkAnswer, LinkInfo, RosterSite } from "../../shared/wire";
import { useNow } from "../inside";
import type { Room } from "../room";
import { PURPOSES, type Purpose, purposeOf, wanted } from "./purpose";
import { endOf, VALIDITIES, type Validity } from "./validity";

interface Props {
  readonly room: Room;
  readonly site: RosterSite;
  readonly onClose: () => void;
}

export function Links({ room, site, onClose }: Props) {
  const t = useT();
  const { meeting } = room.entry;
  const [live, setLive] = useState<readonly LinkInfo[] | null>(null);
  const [made, setMade] = useState<LinkAnswer | null>(null);
  const [revoking, setRevoking] = useState<string | null>(null);
  const [waiting, setWaiting] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const list = useRef<HTMLUListElement>(null);

  const load = async () => setLive(await rest.linksOf(meeting, room.token(), site.code));
  /** One request at a time; a refusal becomes a sentence, and what is live is asked again either way. */
  const ask = async (request: () => Promise<void>) => {
    setWaiting(true);
    setProblem(null);
    try {
      await request();
    } catch (error) {
      setProblem(codeOf(error));
    }
    await load().catch((error: unknown) => setProblem((before) => before ?? codeOf(error)));
    setWaiting(false);
  };
  useEffect(() => void ask(async () => undefined), []);

  /** The focus goes back to where the question was asked. */
  const keep = (id: string | null) => {
    setRevoking(null);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-link="${id}"] button`)?.focus());
  };
  const make = (purpose: Purpose, ttl_s: number) =>
    ask(async () => setMade(await rest.makeLink(meeting, room.token(), wanted(purpose, site.code, ttl_s))));
  const revoke = (id: string) =>
    ask(async () => {
      await rest.revokeLink(meeting, room.token(), id);
      if (made?.id === id) setMade(null);
    }).then(() => {
      setRevoking(null);
      document.getElementById("link-device")?.focus();
    });

  return (
    <Dialog
      title={t("links.title")}
      class="links"
      testid="links"
      onClose={() => (revoking === null ? onClose() : keep(revoking))}
    >
      <p>
        <strong>{site.name}</strong>, {site.district}
      </p>
      <Making room={room} waiting={waiting} onMake={(purpose, ttl_s) => void make(purpose, ttl_s)} />
      {made !== null && <Made key={made.id} link={made} />}
      <p class="notice bad" role="alert" data-testid="links-problem" data-code={problem ?? ""} hidden={problem === null}>
        {problem === null ? "" : refusal(t, problem)}
      </p>
      <h3>{t("links.live")}</h3>
      <ul ref={list} aria-busy={live === null} data-testid="links-live">
        {live?.length === 0 && <li class="aside">{t("links.none")}</li>}
        {live === null && problem === null && <li class="aside">{t("loading")}</li>}
        {live?.map((link) => (
          <li key={link.id} data-link={link.id} data-device={link.device} data-for={purposeOf(link)}>
            <span>
              <strong>{t(`links.for.${purposeOf(link)}`)}</strong>
              {made?.id === link.id && <em> · {t("links.new")}</em>}
              <span class="aside">{t("links.until", { time: moment(link.expires_at) })}</span>
            </span>
            {revoking === link.id ? (
              <Revoking waiting={waiting} onYes={() => void revoke(link.id)} onNo={() => keep(link.id)} />
            ) : (
              <button
                class="btn small danger"
                disabled={waiting}
                aria-label={`${t("links.revoke")}: ${t(`links.for.${purposeOf(link)}`)}, ${t("links.until", { time: moment(link.expires_at) })}`}
                onClick={() => setRevoking(link.id)}
              >
                {t("links.revoke")}…
              </button>
            )}
          </li>
        ))}
      </ul>
      <div class="buttons">
        <button class="btn" onClick={onClose}>
          {t("links.close")}
        </button>
      </div>
    </Dialog>
  );
}

interface MakingProps {
  readonly room: Room;
  readonly waiting: boolean;
  readonly onMake: (purpose: Purpose, ttl_s: number) => void;
}

function Making({ room, waiting, onMake }: MakingProps) {
  const t = useT();
  const now_s = useNow(room, 30_000);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    onMake(form.get("purpose") as Purpose, Math.round(endOf(form.get("validity") as Validity, now_s) - now_s));
  };
  return (
    <form onSubmit={submit}>
      <div class="field">
        <label for="link-device">{t("links.device")}</label>
        <select id="link-device" name="purpose" class="input" data-first>
          {PURPOSES.map((purpose) => (
            <option key={purpose} value={purpose}>
              {t(`links.for.${purpose}`)}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="link-validity">{t("links.validity")}</label>
        <select id="link-validity" name="validity" class="input">
          {VALIDITIES.map((validity) => (
            <option key={validity} value={validity}>
              {t(`links.validity.${validity}`)}
            </option>
          ))}
        </select>
      </div>
      <button class="btn primary" type="submit" disabled={waiting} data-testid="links-make">
        {t("links.make")}
      </button>
    </form>
  );
}

/** What is told this once. An encoder and a player are given the address and the token apart. */
function Made({ link }: { readonly link: LinkAnswer }) {
  const t = useT();
  if (link.token === null) return <Secret id="url" kind="copied" label={t("links.made")} value={link.url} />;
  return (
    <>
      <Secret id="url" kind="address" label={t("links.made.url")} value={link.url} />
      <Secret id="token" kind="token" label={t("links.made.token")} value={link.token} />
    </>
  );
}

interface SecretProps {
  readonly id: "url" | "token";
  readonly kind: "copied" | "address" | "token"; // which sentences go with it
  readonly label: string;
  readonly value: string;
}

/** Copied by the button, or by hand where the browser does not let us. */
function Secret({ id, kind, label, value }: SecretProps) {
  const t = useT();
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState<"not-yet" | "yes" | "by-hand">("not-yet");
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(value); // there is none on a page that is not https
      setCopied("yes");
    } catch {
      field.current?.focus();
      setCopied("by-hand");
    }
  };
  return (
    <div class="made">
      <label for={`link-${id}`}>{label}</label>
      <input
        ref={field}
        id={`link-${id}`}
        class="input"
        readOnly
        value={value}
        data-testid={`links-${id}`}
        onFocus={(event) => event.currentTarget.select()}
      />
      <button class="btn" onClick={() => void copy()} data-testid={`links-copy-${id}`}>
        {t("links.copy")}
      </button>
      <p class="aside" role="status" data-testid="links-copied" data-copied={copied}>
        {t(`links.${kind}.${copied}`)}
      </p>
    </div>
  );
}

interface RevokingProps {
  readonly waiting: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** What revoking does, before it is done. The way back has the focus. */
function Revoking({ waiting, onYes, onNo }: RevokingProps) {
  const t = useT();
  const back = useRef<HTMLButtonElement>(null);
  useEffect(() => back.current?.focus(), []);
  return (
    <div class="revoking" role="group" aria-label={t("links.revoke")}>
      <p id="revoking-text">{t("links.revoke.text")}</p>
      <button ref={back} class="btn small" aria-describedby="revoking-text" onClick={onNo}>
        {t("links.revoke.no")}
      </button>
      <button class="btn small danger" disabled={waiting} onClick={onYes} data-testid="links-revoke">
        {t("links.revoke.yes")}
      </button>
    </div>
  );
}
