/** `/m/<meeting>#<link>`: who am I here, then the check, then the meeting. */
import { useEffect, useMemo, useState } from "preact/hooks";
import * as devices from "../../shared/devices";
import { useT } from "../../shared/i18n";
import { codeOf, Refused } from "../../shared/problem";
import * as rest from "../../shared/rest";
import { useStore } from "../../shared/store";
import type { TicketAnswer } from "../../shared/wire";
import { Room } from "../room";
import { Inside } from "../inside";
import { Check, type Checked } from "./check";
import { Frame } from "./frame";
import { Gone } from "./gone";
import { LogIn } from "../../shared/login";
import { keep, recall } from "./memory";

const ASK_AGAIN_MS = 4_000;

/** `?auto=1`: an unattended room enters without a click. */
const AUTO = new URLSearchParams(location.search).has("auto");

type Step =
  | { readonly kind: "asking" }
  | { readonly kind: "refused"; readonly code: string }
  | { readonly kind: "check"; readonly ticket: TicketAnswer }
  | { readonly kind: "in"; readonly room: Room };

/** A ticket by whichever way in this window has. */
async function ticketFor(meeting: string, link: string): Promise<TicketAnswer> {
  if (link !== "") {
    const ticket = await rest.ticketByLink(link);
    if (ticket.meeting !== meeting) throw new Refused("bad-link", "the link is for another meeting");
    return ticket;
  }
  const session = await rest.whoAmI();
  if (session === null) throw new Refused("login", "nobody is logged in");
  return rest.ticketByAccount(meeting, session.csrf);
}

export function MeetingPage({ meeting }: { readonly meeting: string }) {
  const t = useT();
  const link = useMemo(() => location.hash.slice(1), []);
  const [step, setStep] = useState<Step>({ kind: "asking" });

  const enter = ({ camera, microphone, choice }: Checked, unchecked = false) => {
    const room = new Room({
      meeting,
      ticket: async () => (await ticketFor(meeting, link)).ticket,
      memory: recall(meeting, link),
      remember: (memory) => keep(meeting, link, memory),
      choice,
      camera,
      microphone,
      unchecked,
    });
    room.start();
    setStep({ kind: "in", room });
  };

  const enterUnasked = () => enter({ camera: null, microphone: null, choice: devices.rememberedChoice() }, true);

  const begin = () => {
    if (recall(meeting, link).resume !== null || AUTO) return enterUnasked();
    setStep({ kind: "asking" });
    ticketFor(meeting, link).then(
      (ticket) => setStep({ kind: "check", ticket }),
      (error: unknown) => setStep({ kind: "refused", code: codeOf(error) }),
    );
  };
  useEffect(begin, []);

  useEffect(() => {
    if (step.kind === "refused" && step.code === "offline") {
      const timer = setTimeout(begin, ASK_AGAIN_MS);
      return () => clearTimeout(timer);
    }
    if (step.kind === "in") {
      const { room } = step;
      const stop = () => room.stop();
      const back = (event: PageTransitionEvent) => event.persisted && location.reload();
      addEventListener("pagehide", stop);
      addEventListener("pageshow", back);
      return () => {
        removeEventListener("pagehide", stop);
        removeEventListener("pageshow", back);
      };
    }
    return undefined;
  }, [step]);

  switch (step.kind) {
    case "asking":
      return (
        <Frame>
          <section class="sheet skeleton" aria-busy="true" aria-label={t("loading")} />
        </Frame>
      );
    case "refused":
      return (
        <Frame>
          {step.code === "login" ? <LogIn onDone={begin} aside={t("login.link")} /> : <Gone code={step.code} onAgain={begin} />}
        </Frame>
      );
    case "check":
      return <Check ticket={step.ticket} onEnter={(checked) => enter(checked)} />;
    case "in":
      return <Live room={step.room} onAgain={begin} />;
  }
}

/** The meeting, until the line is gone for good. */
function Live({ room, onAgain }: { readonly room: Room; readonly onAgain: () => void }) {
  const line = useStore(room.line);
  const ended = useStore(room.state, (state) => state.meeting?.ended ?? false);
  const over = line.kind === "gone" ? line.code : ended ? "ended" : null;
  useEffect(() => {
    if (over !== null) room.stop();
  }, [over, room]);
  if (over === null) return <Inside room={room} />;
  const dark = room.state.get().you?.role === "site";
  return (
    <Frame dark={dark}>
      <Gone code={over} onAgain={onAgain} />
    </Frame>
  );
}
