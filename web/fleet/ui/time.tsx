/** Times on the page: short words, the full time as title. `at`: seconds, UTC; null: never. */
import { clock, language, moment } from "../../shared/i18n";
import { useStore } from "../../shared/store";
import { useT } from "../i18n";
import { useNow } from "../store/use";
import { agoWords, momentWords, sinceWords } from "./words";

export { span } from "./words";

interface Props {
  readonly at: number | null | undefined;
}

/** "từ 14:05". */
export function Since({ at }: Props) {
  const t = useT();
  const of = useStore(language);
  const now = useNow();
  return <Time at={at}>{at == null ? t("time.never") : sinceWords(t, of, at, now)}</Time>;
}

/** "3 phút trước". */
export function Ago({ at }: Props) {
  const t = useT();
  const of = useStore(language);
  const now = useNow();
  return <Time at={at}>{at == null ? t("time.never") : agoWords(t, of, at, now)}</Time>;
}

/** "14:05", "14:05 22/11". */
export function Moment({ at }: Props) {
  const t = useT();
  const of = useStore(language);
  const now = useNow();
  return <Time at={at}>{at == null ? t("time.never") : momentWords(of, at, now)}</Time>;
}

function Time({ at, children }: Props & { readonly children: string }) {
  const of = useStore(language);
  if (at == null) return <span class="time">{children}</span>;
  const seconds = `${clock(at, true)}${moment(at, of).slice(5)}`;
  return (
    <time class="time" dateTime={new Date(at * 1000).toISOString()} title={seconds}>
      {children}
    </time>
  );
}
