import { moment, numeral } from './intl.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `1 h 42 min`, as the language writes units; under a minute in seconds. */
export function duration(ms: number, language: string): string {
  const unit = (value: number, name: string) =>
    numeral(value, language, { style: 'unit', unit: name, unitDisplay: 'short' });
  if (ms < minuteMs) return unit(Math.max(1, Math.round(ms / 1000)), 'second');
  const minutes = Math.round(ms / minuteMs);
  const hours = Math.floor(minutes / 60);
  const parts = [
    hours > 0 ? unit(hours, 'hour') : '',
    minutes % 60 > 0 || hours === 0 ? unit(minutes % 60, 'minute') : '',
  ];
  return parts.filter(Boolean).join(' ');
}

/** `1:02:03` or `2:03`, for the clock of a player. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = String(whole % 60).padStart(2, '0');
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

const spans = [
  ['day', dayMs],
  ['hour', hourMs],
  ['minute', minuteMs],
  ['second', 1000],
  ['millisecond', 1],
] as const;

/** `3 days`, `1 second`: in the largest unit of which there is one, rounded down. */
export function span(ms: number, language: string): string {
  const [unit, size] = spans.find(([, least]) => ms >= least) ?? ['second', 1000];
  return numeral(Math.floor(ms / size), language, {
    style: 'unit',
    ...{ unit, unitDisplay: 'long' },
  });
}

const sizes = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'];

/** `4.7 GB`, in powers of a thousand as disks are sold. */
export function fileSize(bytes: number, language: string): string {
  let value = bytes;
  let step = 0;
  for (; value >= 1000 && step < sizes.length - 1; step += 1) value /= 1000;
  return numeral(value, language, {
    style: 'unit',
    unit: sizes[step] ?? 'byte',
    // English has no plural of the short form: "21 byte".
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  });
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * dayMs],
  ['month', 30 * dayMs],
  ['week', 7 * dayMs],
  ['day', dayMs],
  ['hour', hourMs],
  ['minute', minuteMs],
];

/** `5 minutes ago`, `in 3 days`; under a minute `now`. */
export function relative(at: string | number, now: number, language: string): string {
  const ms = new Date(at).getTime() - now;
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const step = steps.find(([, size]) => Math.abs(ms) >= size);
  return step ? format.format(Math.round(ms / step[1]), step[0]) : format.format(0, 'second');
}

/** A day and a time of day. */
export const dateTime = (at: string | number, language: string): string =>
  moment(at, language, { dateStyle: 'medium', timeStyle: 'short' });

/** The day of a moment, where the browser is. */
export const dateOf = (at: string, language: string): string =>
  moment(at, language, { dateStyle: 'medium' });

/** A day of the calendar (`2020-01-31`), which is the same day everywhere. */
export const day = (date: string, language: string): string =>
  moment(`${date}T00:00:00Z`, language, { dateStyle: 'medium', timeZone: 'UTC' });

/** The English, German … name of a language's code; the code where there is none. */
export function languageName(code: string, language: string): string {
  try {
    return new Intl.DisplayNames(language, { type: 'language' }).of(code) ?? code;
  } catch {
    return code; // files name languages as they like
  }
}

/** A share of one, in whole hundredths. */
export const percent = (share: number, language: string): string =>
  numeral(share, language, { style: 'percent' });

/** A day and a time of day to the second. */
export const momentOf = (at: string | number, language: string): string =>
  moment(at, language, { dateStyle: 'short', timeStyle: 'medium' });

/** `4.2 Mb/s`, as the language writes it. */
export function bitRate(bitsPerSecond: number, language: string): string {
  const isFast = bitsPerSecond >= 1_000_000;
  return numeral(bitsPerSecond / (isFast ? 1_000_000 : 1_000), language, {
    style: 'unit',
    unit: isFast ? 'megabit-per-second' : 'kilobit-per-second',
    unitDisplay: 'short',
    maximumFractionDigits: isFast ? 1 : 0,
  });
}
