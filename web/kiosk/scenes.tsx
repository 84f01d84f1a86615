/** The pages on which nothing is asked of anybody: waiting, pairing, resting, out of service. */
import type { Announcement, Shown } from "../shared/kiosk-wire";
import { tell } from "./line";
import { turn } from "./time";
import { say, text } from "./words";

export function Wait() {
  return (
    <section class="calm" data-testid="wait">
      <h1>{say("vi", "wait")}</h1>
      <p>{say("vi", "waitWhy")}</p>
      <p class="quiet" lang="en">{say("en", "wait")}</p>
    </section>
  );
}

export function OutOfService({ message }: { readonly message: string }) {
  return (
    <section class="calm" data-testid="out-of-service">
      <h1>{say("vi", "outOfService")}</h1>
      <p class="message">{message}</p>
      <p class="quiet" lang="en">{say("en", "outOfService")}</p>
    </section>
  );
}

export function SentAway({ code }: { readonly code: string }) {
  return (
    <section class="calm" data-testid="sent-away">
      <h1>{say("vi", "sentAway")}</h1>
      <p>{say("vi", "sentAwayWhy")}</p>
      <p class="quiet" lang="en">{say("en", "sentAway")}</p>
      <p class="quiet small">{say("vi", "code", { code })}</p>
    </section>
  );
}

export function Pairing({ shown }: { readonly shown: Shown }) {
  const { pairing } = shown;
  if (pairing === null) return <Wait />;
  return (
    <section class="pairing" data-testid="pairing">
      <h1>{say("vi", "pairing")}</h1>
      <p>{say("vi", "pairingWhat")}</p>
      <div class="keys" data-redact>
        <img class="qr" src={`qr.svg?${pairing.code}`} alt="QR" />
        <p class="code" data-testid="code">{pairing.code}</p>
      </div>
      <p>{say("vi", "pairingWords")}</p>
      <ol class="four" data-testid="words" data-redact>
        {pairing.words.map((word) => <li key={word}>{word}</li>)}
      </ol>
      <p class="quiet">
        {pairing.minutes > 0 ? say("vi", "pairingLasts", { n: pairing.minutes }) : say("vi", "pairingOver")}
      </p>
    </section>
  );
}

export function Attract({ shown, elapsed_s }: { readonly shown: Shown; readonly elapsed_s: number }) {
  const all = shown.announcements;
  const { index, share } = turn(all.map(({ seconds }) => seconds), elapsed_s);
  const on = all[index];
  return (
    <section class="attract" data-testid="attract" onClick={() => tell({ type: "begin" })}>
      {on === undefined ? (
        <div class="announcement">
          <h1>{say("vi", "welcome")}</h1>
          <p class="body">{say("vi", "noAnnouncements")}</p>
        </div>
      ) : (
        <Resting one={on} share={share} at={index + 1} of={all.length} />
      )}
      <button class="begin" data-testid="begin">
        <span>{say("vi", "begin")}</span>
        <span class="second" lang="en">{say("en", "begin")}</span>
      </button>
    </section>
  );
}

interface RestingProps {
  readonly one: Announcement;
  readonly share: number;
  readonly at: number;
  readonly of: number;
}

function Resting({ one, share, at, of }: RestingProps) {
  return (
    <article class="announcement" data-testid="announcement" data-redact={one.private ? "" : undefined}>
      {one.picture !== "" && <img class="picture" src={one.picture} alt="" />}
      <h1>{text(one.title, "vi")}</h1>
      <p class="body">{text(one.text, "vi")}</p>
      <div class="turn">
        <progress max={1} value={Math.round(share * 30) / 30} />
        {of > 1 && <span>{`${at}/${of}`}</span>}
      </div>
    </article>
  );
}
