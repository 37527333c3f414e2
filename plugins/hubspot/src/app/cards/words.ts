/** Money and times as the reader writes them. */
import type { Money } from "./firsthand.ts";

const MINUTE = 60_000;
const UNITS = [
  ["day", 1440 * MINUTE],
  ["hour", 60 * MINUTE],
  ["minute", MINUTE],
] as const;

/** A locale that this machine knows, from HubSpot's spelling such as `en-gb` or `pt_BR`. */
export function localeOf(told: string | undefined): string {
  try {
    return Intl.getCanonicalLocales((told ?? "en").replace("_", "-"))[0] ?? "en";
  } catch {
    return "en";
  }
}

/** Whole units with their currency; "at least" when a part of it is not known. */
export function money(value: Money | null, locale: string): string {
  if (value?.amount == null) return "not known";
  const format = new Intl.NumberFormat(locale, { style: "currency", currency: value.currency, maximumFractionDigits: 0 });
  const written = format.format(Number(value.amount));
  return value.incomplete ? `at least ${written}` : written;
}

/** "Due in 3 days" or "Missed by 2 hours", in the largest unit that is not zero. */
export function due(at: string, now: number): string {
  const left = Date.parse(at) - now;
  if (Math.abs(left) < MINUTE) return "Due now";
  return left >= 0 ? `Due in ${span(left)}` : `Missed by ${span(-left)}`;
}

function span(length: number): string {
  const [unit, size] = UNITS.find(([, size]) => length >= size) ?? UNITS[2];
  const count = Math.floor(length / size);
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}

/** The hour and minute where the reader's account is. */
export function clock(at: string, locale: string, timeZone: string): string {
  return new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone }).format(new Date(at));
}
