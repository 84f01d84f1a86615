/** A question before something that matters: it names what happens, waits for the server, and shows its refusal. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../../shared/dialog";
import { codeOf } from "../../shared/problem";
import { refusal, useT } from "../i18n";
import { toast } from "./toast";

interface Props {
  readonly title: string;
  /** What happens then. May hold fields. */
  readonly children: ComponentChildren;
  /** What the button does: "Cách ly thiết bị". */
  readonly verb: string;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  readonly onDo: () => Promise<unknown>;
  /** After it is done, or given up. */
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly testid?: string;
}

export function Confirm({ title, children, verb, danger = false, disabled = false, onDo, onClose, wide = false, testid }: Props) {
  const t = useT();
  const [waiting, setWaiting] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const there = useRef(true);
  useEffect(() => () => void (there.current = false), []);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (waiting) return;
    setWaiting(true);
    setProblem(null);
    onDo().then(
      () => there.current && onClose(),
      (error: unknown) => {
        if (!there.current) return;
        setWaiting(false);
        setProblem(codeOf(error));
      },
    );
  };
  return (
    <Dialog title={title} onClose={onClose} class={wide ? "wide" : ""} {...(testid === undefined ? {} : { testid })}>
      <form class="stack" onSubmit={submit}>
        {children}
        {problem !== null && (
          <p class="notice bad" role="alert" data-code={problem}>
            {refusal(t, problem)}
          </p>
        )}
        <div class="buttons">
          <button type="button" class="btn" onClick={onClose}>
            {t("ui.cancel")}
          </button>
          <button type="submit" class={`btn primary ${danger ? "danger" : ""}`} disabled={disabled || waiting} data-testid="confirm">
            {waiting ? t("ui.working") : verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** For a button that asks the server at once: `act(() => fleet.ask(…), "Đã lưu.")`; a refusal is said in a toast. */
export function useAct(): { readonly waiting: boolean; readonly act: (ask: () => Promise<unknown>, done?: string) => void } {
  const t = useT();
  const [waiting, setWaiting] = useState(false);
  const there = useRef(true);
  useEffect(() => () => void (there.current = false), []);
  const act = (ask: () => Promise<unknown>, done?: string) => {
    setWaiting(true);
    ask()
      .then(
        () => done !== undefined && toast(done),
        (error: unknown) => toast(refusal(t, codeOf(error)), { bad: true }),
      )
      .finally(() => there.current && setWaiting(false));
  };
  return { waiting, act };
}
