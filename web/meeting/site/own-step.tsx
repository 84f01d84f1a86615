/** What the own line still carries, and what comes first: said as long as it is so. */
import { useT } from "../../shared/i18n";
import { StepMark } from "../../shared/step-mark";
import { ownSentence } from "../../shared/steps";
import { useStore } from "../../shared/store";
import type { Room } from "../room";

export function OwnStep({ room }: { readonly room: Room }) {
  const t = useT();
  const told = useStore(room.state, (state) => state.line);
  const open = useStore(room.line, (status) => status.kind === "open");
  const text = open ? ownSentence(t, told) : null;
  if (text === null || told === null) return null;
  return (
    <p class="ownstep" role="status" data-testid="own-step" data-step={told.step} data-reason={told.reason}>
      <StepMark step={told.step} size={40} />
      {text}
    </p>
  );
}
