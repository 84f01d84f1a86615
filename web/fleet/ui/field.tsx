import type { ComponentChildren } from "preact";
import { useT } from "../i18n";

interface Props {
  readonly label: string;
  readonly children: ComponentChildren;
  readonly hint?: ComponentChildren;
  readonly error?: string | null;
  readonly optional?: boolean;
}

/** A control with its label; the control is a child and needs class "input". */
export function Field({ label, children, hint, error = null, optional = false }: Props) {
  const t = useT();
  return (
    <label class="field">
      <span class="label">
        {label}
        {optional && <span class="aside"> ({t("ui.optional")})</span>}
      </span>
      {children}
      {hint !== undefined && <span class="hint">{hint}</span>}
      {error !== null && (
        <span class="wrong" role="alert">
          {error}
        </span>
      )}
    </label>
  );
}
