/** Minutes of a day and the words of a time field. Pure. */

/** 450 → "07:30"; 1440 is midnight again. */
export function clockOf(minute: number): string {
  const day = minute % 1440;
  return `${String(Math.floor(day / 60)).padStart(2, "0")}:${String(day % 60).padStart(2, "0")}`;
}

/** "07:30" → 450. */
export function minuteOf(clock: string): number {
  const [hours = "0", minutes = "0"] = clock.split(":");
  return Number(hours) * 60 + Number(minutes);
}
