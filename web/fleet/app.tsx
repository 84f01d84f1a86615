/** Who is there, and what they are shown: a log-in, or the shell with a page in it. */
import { useEffect, useState } from "preact/hooks";
import { language } from "../shared/i18n";
import { LogIn } from "../shared/login";
import { codeOf } from "../shared/problem";
import { logOut } from "../shared/rest";
import { useStore } from "../shared/store";
import { useTheme } from "../shared/theme";
import { refusal, useT } from "./i18n";
import { Languages } from "./languages";
import { place } from "./router";
import { Shell } from "./shell";
import { Fleet, whoIs } from "./store/fleet";
import { FleetContext } from "./store/use";
import { theme } from "./theme";

type Session =
  | { readonly kind: "asking" }
  | { readonly kind: "login"; readonly ended: boolean }
  | { readonly kind: "norights" }
  | { readonly kind: "failed"; readonly code: string }
  | { readonly kind: "in"; readonly fleet: Fleet };

export function App() {
  const [session, setSession] = useState<Session>({ kind: "asking" });
  const t = useT();
  const wall = useStore(place, ({ query }) => query.get("wall") === "1");
  useTheme(useStore(theme) === "dark" || wall);
  const now = useStore(language);
  useEffect(() => {
    document.title = `${t("fleet.app")} · ${t("app")}`;
  }, [now]);

  const ask = () => {
    setSession({ kind: "asking" });
    whoIs().then(
      (staff) => {
        const out = (code: string) => {
          fleet.stop();
          setSession(code === "not-allowed" ? { kind: "norights" } : { kind: "login", ended: true });
        };
        const fleet = new Fleet(staff, out);
        fleet.start();
        setSession({ kind: "in", fleet });
      },
      (error: unknown) => {
        const code = codeOf(error);
        if (code === "not-logged-in") setSession({ kind: "login", ended: false });
        else if (code === "not-allowed") setSession({ kind: "norights" });
        else setSession({ kind: "failed", code });
      },
    );
  };
  useEffect(ask, []);
  const fleet = session.kind === "in" ? session.fleet : null;
  useEffect(() => () => fleet?.stop(), [fleet]);

  if (session.kind === "in") {
    return (
      <FleetContext.Provider value={session.fleet}>
        <Shell
          wall={wall}
          onOut={() => {
            session.fleet.stop();
            const away = () => setSession({ kind: "login", ended: false });
            logOut(session.fleet.staff.csrf).then(away, away);
          }}
        />
      </FleetContext.Provider>
    );
  }
  return (
    <div class="fleet-door">
      <header>
        <img src="/icon.svg" alt="" width="40" height="40" />
        <p>
          <strong>{t("fleet.app")}</strong>
          <span>{t("fleet.sub")}</span>
        </p>
        <Languages />
      </header>
      <main>
        {session.kind === "login" ? (
          <div class="stack">
            {session.ended && <p class="notice">{t("fleet.ended")}</p>}
            <LogIn onDone={ask} aside={t("fleet.login")} />
          </div>
        ) : session.kind === "norights" ? (
          <section class="sheet" role="alert">
            <h1>{t("fleet.norights")}</h1>
            <p>{t("fleet.norights.text")}</p>
            <button class="btn" onClick={() => setSession({ kind: "login", ended: false })}>
              {t("fleet.other")}
            </button>
          </section>
        ) : session.kind === "failed" ? (
          <section class="sheet" role="alert" data-code={session.code}>
            <h1>{refusal(t, session.code)}</h1>
            <button class="btn primary" onClick={ask}>
              {t("retry")}
            </button>
          </section>
        ) : (
          <section class="sheet" aria-busy="true" aria-label={t("loading")} />
        )}
      </main>
    </div>
  );
}
