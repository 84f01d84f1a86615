/** What a window keeps of its meeting over a reload; gone when the window is closed. */
import type { Memory } from "../../shared/line";

const NOTHING: Memory = { resume: null, rid: 0 };

interface Kept extends Memory {
  readonly link: string; // another link is another member
}

function key(meeting: string): string {
  return `diemcau.meeting.${meeting}`;
}

export function recall(meeting: string, link: string): Memory {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key(meeting)) ?? "null") as Kept | null;
    return kept !== null && kept.link === link ? { resume: kept.resume, rid: kept.rid } : NOTHING;
  } catch {
    return NOTHING;
  }
}

export function keep(meeting: string, link: string, memory: Memory): void {
  sessionStorage.setItem(key(meeting), JSON.stringify({ ...memory, link } satisfies Kept));
}
