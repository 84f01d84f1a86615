/** The screen of a kiosk: draws what its agent last said. */
import "../shared/tokens.css";
import "../shared/base.css";
import "./kiosk.css";
import { render } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Shown } from "../shared/kiosk-wire";
import { useStore } from "../shared/store";
import { seen, start } from "./line";
import { Attract, OutOfService, Pairing, SentAway, Wait } from "./scenes";
import { Session } from "./session";
import { clock, day } from "./time";
import { say } from "./words";

const BEAT_MS = 500;
const USUAL_MM_PER_PX = 0.37;

function App() {
  const { shown, ahead_ms } = useStore(seen);
  const now = useNow();
  const scene = shown?.scene ?? "wait";
  useLayoutEffect(() => {
    const root = document.documentElement;
    root.dataset["page"] = scene; // the agent asks for it
    root.dataset["text"] = shown?.text_size ?? "normal";
    root.style.setProperty("--mm", `${1 / (shown?.mm_per_px ?? USUAL_MM_PER_PX)}px`);
    root.style.setProperty("--reach", shown?.low_reach_mm ? `${shown.low_reach_mm / (shown.mm_per_px ?? USUAL_MM_PER_PX)}px` : "100%");
  }, [scene, shown]);
  return (
    <div class="kiosk">
      <header class="top">
        <div>
          <p class="brand">{say("vi", "brand")}</p>
          <p class="quiet">{shown?.name ?? ""}</p>
        </div>
        {shown !== null && !shown.online && serving(shown) && <p class="cut" data-testid="cut">{say("vi", "cut")}</p>}
        {ahead_ms !== null && (
          <div class="clock">
            <p class="time">{clock(now + ahead_ms)}</p>
            <p class="quiet">{day(now + ahead_ms, "vi")}</p>
          </div>
        )}
        <Life now={now} />
      </header>
      <main>{shown === null ? <Wait /> : <Scene shown={shown} now={now} />}</main>
    </div>
  );
}

function Scene({ shown, now }: { readonly shown: Shown; readonly now: number }) {
  switch (shown.scene) {
    case "wait":
      return <Wait />;
    case "pairing":
      return <Pairing shown={shown} />;
    case "sent-away":
      return <SentAway code={shown.code} />;
    case "out-of-service":
      return <OutOfService message={shown.message} />;
    case "attract":
      return <Attract shown={shown} elapsed_s={now / 1000} />;
    case "session":
      return <Session key={shown.session} shown={shown} />;
    default:
      return never(shown.scene);
  }
}

function never(scene: never): never {
  throw new Error(`no page for ${String(scene)}`);
}

function serving(shown: Shown): boolean {
  return shown.scene === "attract" || shown.scene === "session";
}

/** A thin line that walks through each minute. Staff's side tells by it that the screen still paints. */
function Life({ now }: { readonly now: number }) {
  return <progress class="life" max={60} value={Math.floor(now / 1000) % 60} aria-hidden="true" />;
}

function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), BEAT_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

// Whoever plugs a keyboard in gets no browser: no developer tools, no zoom, no other page.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || /^F\d+$/.test(event.key)) event.preventDefault();
}, { capture: true });
document.addEventListener("contextmenu", (event) => event.preventDefault());
document.addEventListener("dragstart", (event) => event.preventDefault());
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
start();
