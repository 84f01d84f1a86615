import { useT } from "../../shared/i18n";
import type { Key } from "../../shared/i18n/vi";

type Why = "ended" | "early" | "left" | "superseded" | "revoked" | "expired" | "bad-link" | "locked" | "login" | "offline" | "refused";

const WHY: Readonly<Record<string, Why>> = {
  "ended": "ended",
  "left": "left",
  "superseded": "superseded",
  "revoked": "revoked",
  "expired": "expired",
  "bad-link": "bad-link",
  "bad-token": "bad-link",
  "unknown-link": "bad-link",
  "unknown-meeting": "bad-link",
  "too-early": "early",
  "locked": "locked",
  "login": "login",
  "offline": "offline",
};

/** Why this window is not in the meeting, what that means, and what to do. */
export function Gone({ code, onAgain }: { readonly code: string; readonly onAgain: () => void }) {
  const t = useT();
  const why = WHY[code] ?? "refused";
  const title: Key = `gone.title.${why}`;
  const text: Key = `gone.text.${why}`;
  const again = why !== "ended" && why !== "bad-link" && why !== "revoked" && why !== "expired";
  return (
    <section class="sheet gone" role="alert" data-testid="gone" data-code={code}>
      <h1>{t(title)}</h1>
      <p>{t(text)}</p>
      <div class="buttons">
        {again && (
          <button class="btn primary" onClick={onAgain} autofocus>
            {why === "offline" ? t("retry") : t("gone.again")}
          </button>
        )}
        <a class="btn quiet" href="/">
          {t("home")}
        </a>
      </div>
    </section>
  );
}
