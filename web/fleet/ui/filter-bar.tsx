/** What stands above a list: search, selects, chips with counts. */
import type { ComponentChildren } from "preact";
import { number } from "../../shared/i18n";
import { Search } from "../../shared/icons";

export function FilterBar({ children, label }: { readonly children: ComponentChildren; readonly label?: string }) {
  return (
    <div class="filter-bar" role="search" aria-label={label}>
      {children}
    </div>
  );
}

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly id?: string;
}

export function SearchBox({ label, value, onInput, id }: SearchProps) {
  return (
    <label class="search">
      <Search size={18} />
      <span class="sr">{label}</span>
      <input
        id={id}
        class="input"
        type="search"
        placeholder={label}
        value={value}
        autocomplete="off"
        data-testid={id}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && value !== "") {
            onInput("");
            event.preventDefault();
          }
        }}
      />
    </label>
  );
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

interface SelectProps {
  /** Said to screen readers, and what the empty choice reads. */
  readonly label: string;
  readonly all?: string;
  readonly value: string;
  readonly options: readonly Option[];
  readonly onChange: (value: string) => void;
  readonly testid?: string;
}

/** One of many; `all` is the word of no choice. */
export function Select({ label, all, value, options, onChange, testid }: SelectProps) {
  return (
    <select
      class="input"
      aria-label={label}
      value={value}
      data-testid={testid}
      data-chosen={value !== ""}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {all !== undefined && <option value="">{all}</option>}
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

export interface Chip {
  readonly id: string;
  readonly label: string;
  readonly count?: number;
  readonly mark?: ComponentChildren;
}

interface ChipsProps {
  readonly label: string;
  readonly options: readonly Chip[];
  readonly chosen: ReadonlySet<string>;
  readonly onToggle: (id: string) => void;
}

/** Several of a few, each with how many there are; the numbers keep their width. */
export function Chips({ label, options, chosen, onToggle }: ChipsProps) {
  return (
    <div class="chips" role="group" aria-label={label}>
      {options.map(({ id, label: word, count, mark }) => (
        <button
          key={id}
          class="chip"
          aria-pressed={chosen.has(id)}
          data-chip={id}
          data-none={count === 0}
          onClick={() => onToggle(id)}
        >
          {mark}
          <span>{word}</span>
          {count !== undefined && <strong>{number(count)}</strong>}
        </button>
      ))}
    </div>
  );
}
