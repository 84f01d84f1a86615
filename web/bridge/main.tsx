/** The page that makes a meeting room's machine one of the fleet's devices. */
import "../shared/tokens.css";
import "../shared/base.css";
import "./bridge.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { language, setLanguage } from "../shared/i18n";
import { useStore } from "../shared/store";
import { canSign } from "./identity";
import { run, state, type State } from "./line";
import { useWords } from "./words";

const LOCK = "diemcau-bridge";

function Page() {
  const w = useWords();
  const now = useStore(language);
  const [alone, setAlone] = useState<boolean | null>(null);
  useEffect(() => {
    document.documentElement.lang = now;
    document.title = `${w.title} · Điểm Cầu`;
  }, [now]);
  useEffect(() => {
    if (!canSign()) {
      state.set({ kind: "failed", code: "no-key" });
      setAlone(true);
      return;
    }
    // One window alone has the key in hand: two would look like two machines with one key.
    void navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
      setAlone(lock !== null);
      return lock === null ? undefined : run();
    });
  }, []);
  return (
    <main class="bridge">
      <header>
        <img src="/icon.svg" alt="" width="40" height="40" />
        <div>
          <h1>{w.title}</h1>
          <p>{w.sub}</p>
        </div>
        <button class="btn" onClick={() => setLanguage(now === "vi" ? "en" : "vi")}>
          {now === "vi" ? "English" : "Tiếng Việt"}
        </button>
      </header>
      {alone === false ? <p class="notice bad">{w.elsewhere}</p> : <Now now={useStore(state)} />}
    </main>
  );
}

function Now({ now }: { readonly now: State }) {
  const w = useWords();
  const time = (at: number) => new Date(at * 1000).toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" });
  switch (now.kind) {
    case "starting":
      return <p data-testid="state" data-state="starting">{w.starting}</p>;
    case "waiting":
      return (
        <section data-testid="state" data-state="waiting">
          <h2>{w.code}</h2>
          <p class="code" data-testid="code">{`${now.code.slice(0, 3)} ${now.code.slice(3)}`}</p>
          <p>{w.code_how}</p>
          <h2>{w.words}</h2>
          <ol class="words" lang="vi" data-testid="words">
            {now.words.map((word, i) => (
              <li key={i}>{word}</li>
            ))}
          </ol>
          <p class="aside">
            {w.where}: <strong>{`${location.host}/fleet/enrol`}</strong> · {w.until} {time(now.until)}
          </p>
        </section>
      );
    case "refused":
      return (
        <section data-testid="state" data-state="refused">
          <p class="notice bad">
            {w.refused} {now.why}
          </p>
          <p class="aside">{w.refused_again}</p>
        </section>
      );
    case "connecting":
      return <p data-testid="state" data-state="connecting">{w.connecting}</p>;
    case "connected":
      return (
        <section data-testid="state" data-state="connected">
          <p class="big">
            <svg width="28" height="28" viewBox="0 0 10 10" aria-hidden="true">
              <circle cx="5" cy="5" r="4.4" />
              <path d="M2.8 5.2l1.6 1.6 3-3.4" />
            </svg>
            {w.connected}
          </p>
          <p>
            <strong>{now.name}</strong>
          </p>
          <p class="aside">
            {w.heard}: {time(now.heard_at)}
          </p>
          <p>{w.keep}</p>
          <p class="aside">{w.permit}</p>
        </section>
      );
    case "sent-away":
    case "failed": {
      const text =
        now.code === "quarantined" || now.code === "cloned-key"
          ? w.quarantined
          : now.code === "retired"
            ? w.retired
            : now.code === "superseded"
              ? w.superseded
              : now.code === "no-key"
                ? w.no_key
                : w.failed;
      return (
        <p class="notice bad" role="alert" data-testid="state" data-state={now.kind} data-code={now.code}>
          {text}
        </p>
      );
    }
  }
}

const root = document.getElementById("app");
if (root !== null) render(<Page />, root);
