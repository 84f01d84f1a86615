/** The recordings of one meeting by REST: for the chair and the secretary, in its window or by their log-in. */
import { ask } from "./rest";
import type { RecordingInfo, RecordingsAnswer } from "./wire";

export interface RecordingsAccess {
  readonly meeting: string;
  /** What proves who asks: a window's token, or the CSRF token beside the log-in's cookie. */
  readonly headers: () => Readonly<Record<string, string>>;
}

function path({ meeting }: RecordingsAccess, recording?: string): string {
  const all = `/api/meetings/${encodeURIComponent(meeting)}/recordings`;
  return recording === undefined ? all : `${all}/${encodeURIComponent(recording)}`;
}

/** The newest first, those that are deleted too. */
export function recordingsOf(access: RecordingsAccess): Promise<RecordingsAnswer> {
  return ask(path(access), { headers: access.headers() });
}

/** Let the browser fetch the file by itself, which shows no token: a cookie opens this one for a while. */
export async function download(access: RecordingsAccess, recording: string): Promise<void> {
  await ask<void>(`${path(access, recording)}/pass`, { method: "POST", headers: access.headers() });
  const link = document.createElement("a");
  link.href = path(access, recording);
  link.download = "";
  link.click();
}

export function deleteRecording(access: RecordingsAccess, recording: string): Promise<void> {
  return ask(path(access, recording), { method: "DELETE", headers: access.headers() });
}

/** 1:02:05 — hours only where there are any. */
export function length(s: number): string {
  const whole = Math.max(0, Math.round(s));
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(rest)}` : `${m}:${two(rest)}`;
}

/** Whole megabytes, as files are told on a disk; what is less than one is one. */
export function megabytes(one: RecordingInfo): number {
  return Math.max(1, Math.round(one.size_bytes / 1_000_000));
}
