/** Measured values in words, by the unit in their metric's name. Pure. */
import { numbers, type Language } from "../shared/i18n";
import type { Translate } from "./i18n";
import { span } from "./ui/words";

/** `rtt_ms` 42 → "42 ms", `disk_free_share` 0.412 → "41,2 %". */
export function valueWords(t: Translate, of: Language, metric: string, value: number): string {
  if (isShare(metric)) return `${digits(of, value * 100, value < 0.1 ? 1 : 0)} %`;
  if (metric.endsWith("_ms")) return `${digits(of, value, 0)} ms`;
  if (metric.endsWith("_c")) return `${digits(of, value, 1)} °C`;
  if (metric.endsWith("_s")) return span(t, value);
  return digits(of, value, Math.abs(value) < 10 ? 1 : 0);
}

/** As short as an axis has room for. */
export function axisWords(of: Language, metric: string, value: number): string {
  if (isShare(metric)) return `${digits(of, value * 100, value < 0.02 && value > 0 ? 1 : 0)} %`;
  if (metric.endsWith("_s")) return value >= 60 ? `${digits(of, value / 60, 1)} ${of === "vi" ? "phút" : "min"}` : `${digits(of, value, 1)} s`;
  return digits(of, value, Math.abs(value) < 5 && !Number.isInteger(value) ? 1 : 0);
}

/** Of one: said in per cent. */
export function isShare(metric: string): boolean {
  return metric.endsWith("_share") || metric === "camera_brightness";
}

/** 13,2 GB. */
export function bytesWords(of: Language, bytes: number): string {
  const steps = ["B", "KB", "MB", "GB", "TB"] as const;
  let value = bytes;
  let step = 0;
  while (value >= 1000 && step < steps.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${digits(of, value, value < 10 && step > 0 ? 1 : 0)} ${steps[step] ?? "B"}`;
}

export function digits(of: Language, value: number, most: number): string {
  return numbers(of, { maximumFractionDigits: most }).format(value);
}
