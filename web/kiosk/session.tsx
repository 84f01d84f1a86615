/** A resident reads the announcements. Everything here is forgotten with the session. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Announcement, Shown } from "../shared/kiosk-wire";
import { tell, touch } from "./line";
import { page, warning } from "./time";
import { type Language, say, text } from "./words";

export function Session({ shown }: { readonly shown: Shown }) {
  const [language, setLanguage] = useState<Language>(shown.language);
  const [open, setOpen] = useState<string | null>(null);
  const [number, setNumber] = useState(0);
  const untouched_s = useUntouched();
  const left_s = warning(shown.idle_s, untouched_s);
  const list = page(shown.announcements, number);
  const reading = shown.announcements.find(({ id }) => id === open);
  return (
    <section class="session" data-testid="session" lang={language}>
      {reading === undefined ? (
        <>
          <h1>{say(language, "announcements")}</h1>
          {shown.announcements.length === 0 && <p>{say(language, "noAnnouncements")}</p>}
          <ul class="cards">
            {list.items.map((one) => (
              <li key={one.id}>
                <button class="card" data-redact={one.private ? "" : undefined} onClick={() => setOpen(one.id)}>
                  {text(one.title, language)}
                </button>
              </li>
            ))}
          </ul>
          {list.of > 1 && (
            <nav class="pager">
              <button disabled={list.number === 0} onClick={() => setNumber(list.number - 1)}>
                {say(language, "previous")}
              </button>
              <span>{say(language, "page", { n: list.number + 1, of: list.of })}</span>
              <button disabled={list.number === list.of - 1} onClick={() => setNumber(list.number + 1)}>
                {say(language, "next")}
              </button>
            </nav>
          )}
        </>
      ) : (
        <Reading one={reading} language={language} />
      )}
      <footer class="bar">
        <button disabled={reading === undefined} onClick={() => setOpen(null)}>{say(language, "back")}</button>
        <button lang={language === "vi" ? "en" : "vi"} onClick={() => setLanguage(language === "vi" ? "en" : "vi")}>
          {say(language, "other")}
        </button>
        <button class="leave" data-testid="leave" onClick={() => tell({ type: "finish" })}>
          {say(language, "leave")}
        </button>
      </footer>
      {left_s !== null && (
        <div class="still" role="alertdialog" aria-modal="true" data-testid="still">
          <div>
            <h1>{say(language, "still")}</h1>
            <p>{say(language, "stillWhy", { n: left_s })}</p>
            <button class="begin">{say(language, "stay")}</button>
          </div>
        </div>
      )}
    </section>
  );
}

/** One announcement, page by page: a resident need not know how to scroll. */
function Reading({ one, language }: { readonly one: Announcement; readonly language: Language }) {
  const frame = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(0);
  const [of, setOf] = useState(1);
  useEffect(() => {
    const box = frame.current;
    if (box !== null) setOf(Math.max(1, Math.round(box.scrollWidth / box.clientWidth)));
    setAt(0);
  }, [one.id, language]);
  useEffect(() => {
    const box = frame.current;
    if (box !== null) box.scrollLeft = at * box.clientWidth;
  }, [at]);
  return (
    <article class="reading" data-testid="reading" data-redact={one.private ? "" : undefined}>
      <h1>{text(one.title, language)}</h1>
      <div class="columns" ref={frame}>
        {one.picture !== "" && <img class="picture" src={one.picture} alt="" />}
        {text(one.text, language).split(/\n{2,}/).map((part, number) => <p key={number}>{part}</p>)}
      </div>
      {of > 1 && (
        <nav class="pager">
          <button disabled={at === 0} onClick={() => setAt(at - 1)}>{say(language, "previous")}</button>
          <span>{say(language, "page", { n: at + 1, of })}</span>
          <button disabled={at >= of - 1} onClick={() => setAt(at + 1)}>{say(language, "next")}</button>
        </nav>
      )}
    </article>
  );
}

/** Seconds since the screen was last touched; each touch is told to the agent, which decides. */
function useUntouched(): number {
  const last = useRef(performance.now());
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const touched = () => {
      last.current = performance.now();
      setSeconds(0);
      touch();
    };
    const timer = setInterval(() => setSeconds((performance.now() - last.current) / 1000), 500);
    document.addEventListener("pointerdown", touched);
    return () => {
      clearInterval(timer);
      document.removeEventListener("pointerdown", touched);
    };
  }, []);
  return seconds;
}
