/** Times in words. Pure; seconds, UTC; Hà Nội's time on the page. */
import { clock, dates, locale, moment, type Language } from "../../shared/i18n";
import type { Translate } from "../i18n";

const RELATIVE: Readonly<Record<Language, Intl.RelativeTimeFormat>> = {
  vi: new Intl.RelativeTimeFormat(locale("vi"), { numeric: "always", style: "short" }),
  en: new Intl.RelativeTimeFormat(locale("en"), { numeric: "always", style: "short" }),
};
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** "từ 14:05"; before today "từ 14:05 ngày 22/11"; before this year with the year. */
export function sinceWords(t: Translate, of: Language, at_s: number, now_s: number): string {
  const time = clock(at_s);
  if (dayOf(at_s) === dayOf(now_s)) return t("time.since", { time });
  return t("time.since.day", { time, day: shortDay(of, at_s, now_s) });
}

/** "vừa xong", "3 phút trước", "2 giờ trước", "5 ngày trước". */
export function agoWords(t: Translate, of: Language, at_s: number, now_s: number): string {
  const gone_s = now_s - at_s;
  if (gone_s < MINUTE_S) return t("time.now");
  const words = RELATIVE[of];
  if (gone_s < HOUR_S) return words.format(-Math.floor(gone_s / MINUTE_S), "minute");
  if (gone_s < DAY_S) return words.format(-Math.floor(gone_s / HOUR_S), "hour");
  return words.format(-Math.floor(gone_s / DAY_S), "day");
}

/** "2 giờ 5 phút": two units at most. */
export function span(t: Translate, s: number): string {
  if (s < MINUTE_S) return t("time.seconds", { n: Math.max(0, Math.round(s)) });
  const minutes = Math.floor(s / MINUTE_S);
  if (minutes < 60) return t("time.minutes", { n: minutes });
  const hours = Math.floor(s / HOUR_S);
  if (hours < 24) {
    const rest = minutes % 60;
    return rest === 0 ? t("time.hours", { n: hours }) : t("time.hours.minutes", { h: hours, m: rest });
  }
  const days = Math.floor(s / DAY_S);
  const rest = hours % 24;
  return rest === 0 ? t("time.days", { n: days }) : t("time.days.hours", { d: days, h: rest });
}

/** "22/11", with the year if it is another one. */
export function shortDay(of: Language, at_s: number, now_s: number): string {
  const year = yearOf(at_s) === yearOf(now_s) ? {} : ({ year: "numeric" } as const);
  return dates(of, { day: "numeric", month: "numeric", ...year }).format(at_s * 1000);
}

/** "14:05" today, "14:05 22/11" before. */
export function momentWords(of: Language, at_s: number, now_s: number): string {
  if (dayOf(at_s) === dayOf(now_s)) return clock(at_s);
  return yearOf(at_s) === yearOf(now_s) ? `${clock(at_s)} ${shortDay(of, at_s, now_s)}` : moment(at_s, of);
}

const HANOI_S = 7 * HOUR_S; // ahead of UTC, all year

/** Which day in Hà Nội, counted since 1970. */
function dayOf(at_s: number): number {
  return Math.floor((at_s + HANOI_S) / DAY_S);
}

function yearOf(at_s: number): number {
  return new Date((at_s + HANOI_S) * 1000).getUTCFullYear();
}
