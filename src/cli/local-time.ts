/** A time for people: in the local time zone, to the minute, such as `2026-01-31 10:20`. */
export function localTime(time: string | number): string {
  const date = new Date(time);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace("T", " ");
}
