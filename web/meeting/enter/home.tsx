/** The first page: log in, then choose a meeting. */
import { useEffect, useState } from "preact/hooks";
import { useT, type Translate } from "../../shared/i18n";
import { LogIn } from "../../shared/login";
import { codeOf } from "../../shared/problem";
import { Recordings } from "../../shared/recordings-dialog";
import { refusal } from "../../shared/refusal";
import * as rest from "../../shared/rest";
import type { MeetingSummary, SessionAnswer } from "../../shared/wire";
import { Frame } from "./frame";

export function Home() {
  const t = useT();
  const [session, setSession] = useState<SessionAnswer | null | undefined>(undefined);
  const [problem, setProblem] = useState<string | null>(null);

  const ask = () => {
    setProblem(null);
    rest.whoAmI().then(setSession, (error: unknown) => setProblem(codeOf(error)));
  };
  useEffect(ask, []);

  return (
    <Frame>
      {problem !== null ? (
        <section class="sheet" role="alert">
          <h1>{t("gone.title.offline")}</h1>
          <p>{t("refused.offline")}</p>
          <button class="btn primary" onClick={ask}>
            {t("retry")}
          </button>
        </section>
      ) : session === undefined ? (
        <section class="sheet skeleton" aria-busy="true" aria-label={t("loading")} />
      ) : session === null ? (
        <LogIn onDone={setSession} aside={t("login.link")} />
      ) : (
        <Meetings session={session} onOut={() => setSession(null)} />
      )}
    </Frame>
  );
}

function Meetings({ session, onOut }: { readonly session: SessionAnswer; readonly onOut: () => void }) {
  const t = useT();
  const [list, setList] = useState<readonly MeetingSummary[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [recordings, setRecordings] = useState<string | null>(null);
  useEffect(() => {
    rest.meetings().then(setList, (error: unknown) => setProblem(codeOf(error)));
  }, []);
  const out = () => {
    rest.logOut(session.csrf).then(onOut, (error: unknown) => setProblem(codeOf(error)));
  };
  return (
    <section class="sheet wide" data-testid="meetings">
      <header>
        <h1>{t("meetings.title")}</h1>
        <p class="aside">{t("login.as", { name: session.display_name })}</p>
      </header>
      {problem !== null && (
        <p class="notice bad" role="alert">
          {refusal(t, problem)}
        </p>
      )}
      {list !== null && list.length === 0 && <p>{t("meetings.none")}</p>}
      <ul class="meetings">
        {list?.map((meeting) => (
          <li key={meeting.id}>
            <div>
              <h2>{meeting.title}</h2>
              <p class="aside">
                {stateOf(t, meeting.state)} · {t("meetings.as", { role: t(`role.${meeting.role}`) })}
              </p>
            </div>
            {(meeting.role === "chair" || meeting.role === "secretary") && (
              <button class="btn quiet" data-testid="recordings-open" onClick={() => setRecordings(meeting.id)}>
                {t("recordings.title")}
              </button>
            )}
            {meeting.state !== "ended" && (
              <a class="btn primary" href={`/m/${encodeURIComponent(meeting.id)}`}>
                {t("meetings.enter")}
              </a>
            )}
          </li>
        ))}
      </ul>
      <button class="btn quiet" onClick={out}>
        {t("login.out")}
      </button>
      {recordings !== null && (
        <Recordings
          access={{ meeting: recordings, headers: () => ({ "X-CSRF-Token": session.csrf }) }}
          onClose={() => setRecordings(null)}
        />
      )}
    </section>
  );
}

function stateOf(t: Translate, state: string): string {
  if (state === "ended") return t("meetings.ended");
  return state === "scheduled" ? t("meetings.scheduled") : t("meetings.open");
}
