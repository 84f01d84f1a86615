/** What stands where nothing is: none, not yet, not possible. */
import type { ComponentChildren } from "preact";
import { codeOf } from "../../shared/problem";
import { refusal, useT } from "../i18n";

export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty" data-testid="empty">
      <p class="title">{title}</p>
      {children}
    </div>
  );
}

/** A refusal in words; `again` offers to try once more. */
export function Problem({ error, again }: { readonly error: unknown; readonly again?: () => void }) {
  const t = useT();
  const code = codeOf(error);
  return (
    <div class="notice bad" role="alert" data-code={code}>
      <p>{refusal(t, code)}</p>
      {again !== undefined && (
        <button class="btn small" onClick={again}>
          {t("retry")}
        </button>
      )}
    </div>
  );
}

/** Grey lines where rows are about to be. */
export function Skeleton({ rows = 6 }: { readonly rows?: number }) {
  const t = useT();
  return (
    <div class="skeleton" aria-busy="true" aria-label={t("loading")}>
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}
