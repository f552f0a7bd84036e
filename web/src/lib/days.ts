/** Days of the calendar, written YYYY-MM-DD: the same everywhere. Pure. */

const dayMs = 24 * 3_600_000;
const timeOf = (day: string): number => Date.parse(`${day}T00:00:00Z`);
const dayAt = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The day so many days later, or earlier. */
export const addDays = (day: string, count: number): string => dayAt(timeOf(day) + count * dayMs);

/** The day it is where somebody is. */
export function localDay(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** A day as an address has it, of years that calendars are asked of; undefined for all else. */
export function readDay(text: string | null): string | undefined {
  if (text === null || !/^(?:19|20|21)\d\d-\d\d-\d\d$/.test(text)) return undefined;
  const ms = timeOf(text);
  // Date would take the 30th of February for a day in March.
  return Number.isNaN(ms) || dayAt(ms) !== text ? undefined : text;
}

/** The first day of the week of a day; weeks begin on `first`, 1 for Monday to 7 for Sunday. */
export function weekOf(day: string, first: number): string {
  const weekday = new Date(timeOf(day)).getUTCDay() || 7;
  return addDays(day, -((weekday - first + 7) % 7));
}

/** The seven days from one on. */
export const daysFrom = (first: string): string[] =>
  Array.from({ length: 7 }, (_, at) => addDays(first, at));

interface WithWeeks {
  getWeekInfo?: () => { readonly firstDay: number };
  weekInfo?: { readonly firstDay: number };
}

/** On which day weeks begin in a language: 1 for Monday, which it is where nobody knows, to 7. */
export function firstWeekday(language: string): number {
  const locale = new Intl.Locale(language) as Intl.Locale & WithWeeks;
  return (locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay ?? 1;
}

/** `Monday, 2 November`. */
export const weekday = (day: string, language: string): string =>
  new Date(timeOf(day)).toLocaleDateString(language, {
    ...{ weekday: 'long', day: 'numeric', month: 'long' },
    timeZone: 'UTC',
  });

/** `2–8 Nov 2026`. */
export const daySpan = (from: string, to: string, language: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).formatRange(
    timeOf(from),
    timeOf(to),
  );
