import type { Format } from 'ajv';

const day = /^(\d{4})-(\d\d)-(\d\d)$/;
const moment =
  /^(\d{4}-\d\d-\d\d)[t ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/i;

/**
 * The spec's formats of times, as far as `Date` and PostgreSQL both go: RFC 3339 also allows leap
 * seconds (Date does not) and the year 0 (PostgreSQL does not).
 */
export const timeFormats: Readonly<Record<string, Format>> = {
  date: { type: 'string', validate: isDay },
  'date-time': { type: 'string', validate: isMoment },
};

function isDay(text: string): boolean {
  if (!day.test(text) || text.startsWith('0000')) return false;
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text);
}

function isMoment(text: string): boolean {
  const date = moment.exec(text)?.[1];
  if (date === undefined || !isDay(date)) return false;
  const year = new Date(text.replace(/[t ]/i, 'T')).getUTCFullYear(); // after the shift to UTC
  return year >= 1 && year <= 9999;
}
