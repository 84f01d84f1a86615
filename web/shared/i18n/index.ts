/** Sentences in two languages; a missing key or a missing parameter is an error when building. */
import { Store, useStore } from "../store";
import { en } from "./en";
import { vi, type Key } from "./vi";

export type Language = "vi" | "en";

const KEY = "diemcau.language";
const TABLES: Readonly<Record<Language, Readonly<Record<Key, string>>>> = { vi, en };

export const language = new Store<Language>(localStorage.getItem(KEY) === "en" ? "en" : "vi");

export function setLanguage(next: Language): void {
  localStorage.setItem(KEY, next);
  language.set(next);
  document.documentElement.lang = next;
}

/** The names in braces of a sentence. */
export type Names<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type Given<K extends Key> = [Names<(typeof vi)[K]>] extends [never]
  ? []
  : [Readonly<Record<Names<(typeof vi)[K]>, string | number>>];

export type Translate = <K extends Key>(key: K, ...given: Given<K>) => string;

export function translator(to: Language): Translate {
  return (key, ...given) => {
    return fill(TABLES[to][key], given[0] ?? {}, to);
  };
}

/** Values put in place of the names in braces; numbers as that language writes them. */
export function fill(sentence: string, values: Readonly<Record<string, string | number>>, to: Language): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value, to) : value;
  });
}

export function useT(): Translate {
  return translator(useStore(language));
}

export function locale(of: Language): string {
  return of === "vi" ? "vi-VN" : "en-GB";
}

const formats = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>();

/** A format of that language, made once: making one costs far more than using it. */
export function dates(of: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return kept(`${of} ${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(locale(of), { timeZone: ZONE, ...options }));
}

/** The same for numbers. */
export function numbers(of: Language, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  return kept(`${of} number ${JSON.stringify(options)}`, () => new Intl.NumberFormat(locale(of), options));
}

function kept<T extends Intl.DateTimeFormat | Intl.NumberFormat>(name: string, make: () => T): T {
  const known = formats.get(name) as T | undefined;
  if (known !== undefined) return known;
  const made = make();
  formats.set(name, made);
  return made;
}

/** 20.000 in Vietnamese, 20,000 in English. */
export function number(value: number, of: Language = language.get()): string {
  return numbers(of).format(value);
}

export const ZONE = "Asia/Ho_Chi_Minh";

/** 14:05, in Hà Nội wherever the machine is. */
export function clock(at_s: number, seconds = false): string {
  const exact = seconds ? ({ second: "2-digit" } as const) : {};
  return dates("en", { hour: "2-digit", minute: "2-digit", ...exact }).format(at_s * 1000);
}

/** 14:05 23/8/2021, in Hà Nội. */
export function moment(at_s: number, of: Language = language.get()): string {
  return `${clock(at_s)} ${dates(of, { day: "numeric", month: "numeric", year: "numeric" }).format(at_s * 1000)}`;
}

/** Thứ Hai, 23/8/2021. */
export function day(at_s: number, of: Language = language.get()): string {
  const date = { weekday: "long", day: "numeric", month: "numeric", year: "numeric" } as const;
  const text = dates(of, date).format(at_s * 1000);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** 2:05 — minutes and seconds of a span. */
export function span(s: number): string {
  const whole = Math.max(0, Math.ceil(s));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
