/** The frame of a page within the shell. */
import type { ComponentChildren } from "preact";

interface HeadProps {
  readonly title: ComponentChildren;
  readonly sub?: ComponentChildren;
  readonly children?: ComponentChildren;
}

export function PageHead({ title, sub, children }: HeadProps) {
  return (
    <header class="page-head">
      <div>
        <h1>{title}</h1>
        {sub !== undefined && <p class="sub">{sub}</p>}
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </header>
  );
}

interface PanelProps {
  readonly title?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly testid?: string;
}

export function Panel({ title, actions, children, class: extra = "", testid }: PanelProps) {
  return (
    <section class={`card ${extra}`} data-testid={testid}>
      {(title !== undefined || actions !== undefined) && (
        <header>
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}

/** Labels and values, one below the other. A null value is left out. */
export function Facts({ items }: { readonly items: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {items.map(
        ([label, value]) =>
          value !== null && (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
