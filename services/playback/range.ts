/** What is about to be sent, as far as preconditions and ranges concern it. */
export interface Representation {
  readonly sizeBytes: number;
  /** Strong, with its quotes. */
  readonly etag: string;
  readonly mtimeMs: number;
}

/** The request headers that matter, as they came. */
export interface Wishes {
  readonly range?: string | undefined;
  readonly 'if-range'?: string | undefined;
  readonly 'if-match'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
  readonly 'if-modified-since'?: string | undefined;
  readonly 'if-unmodified-since'?: string | undefined;
}

/** What to answer; `start` and `end` are both included. */
export type Decision =
  { status: 200 } | { status: 206; start: number; end: number } | { status: 304 | 412 | 416 };

/**
 * Decides between whole, part, not modified, failed and not satisfiable, in the order of RFC 9110
 * §13.2.2. Several ranges at once are answered with the whole, as §14.2 allows; a range that is
 * malformed is ignored. Ranges are for `GET` only. Pure; `nowMs` dates the answer.
 */
export function decide(
  request: { method: string; headers: Wishes; nowMs: number },
  representation: Representation,
): Decision {
  const { headers } = request;
  if (!mayGoOn(headers, representation)) return { status: 412 };
  if (isUnchanged(headers, representation)) return { status: 304 };
  if (request.method !== 'GET' || headers.range === undefined) return { status: 200 };
  if (!rangeApplies(headers['if-range'], representation, request.nowMs)) return { status: 200 };
  return chooseRange(headers.range, representation.sizeBytes);
}

/** §13.1.1 and §13.1.4; the former makes the latter void. */
function mayGoOn(headers: Wishes, { etag, mtimeMs }: Representation): boolean {
  const match = headers['if-match'];
  if (match !== undefined) return lists(match, (tag) => tag === etag);
  const since = parseDate(headers['if-unmodified-since']);
  return since === undefined || seconds(mtimeMs) <= since;
}

/** §13.1.2 and §13.1.3; the former makes the latter void. */
function isUnchanged(headers: Wishes, { etag, mtimeMs }: Representation): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return lists(noneMatch, (tag) => tag.replace(/^W\//, '') === etag);
  const since = parseDate(headers['if-modified-since']);
  return since !== undefined && seconds(mtimeMs) <= since;
}

function lists(value: string, is: (tag: string) => boolean): boolean {
  if (value.trim() === '*') return true;
  return [...value.matchAll(/(?:W\/)?"[^"]*"/g)].some(([tag]) => is(tag));
}

/** §13.1.5: a tag must be the same and strong, a date the very one, and old enough to be strong. */
function rangeApplies(
  ifRange: string | undefined,
  { etag, mtimeMs }: Representation,
  nowMs: number,
): boolean {
  if (ifRange === undefined) return true;
  const text = ifRange.trim();
  if (text.startsWith('"') || text.startsWith('W/')) return text === etag;
  const isStrong = seconds(nowMs) - seconds(mtimeMs) >= 1;
  return isStrong && parseDate(text) === seconds(mtimeMs);
}

/** §14.1.2 and §14.2. */
function chooseRange(header: string, sizeBytes: number): Decision {
  const list = /^\s*bytes\s*=(.*)$/i.exec(header)?.[1];
  if (list === undefined) return { status: 200 };
  const parts = list.split(',').map((part) => part.trim());
  const specs = parts.filter((part) => part !== '').map(parseRange);
  if (specs.length === 0 || specs.some((spec) => spec === undefined)) return { status: 200 };
  const asked = specs.filter((spec) => spec !== undefined);
  const found = asked.map((spec) => place(spec, sizeBytes)).filter((spec) => spec !== undefined);
  const [only] = found;
  if (only === undefined) return { status: 416 };
  // Of nothing there is no part, but a suffix of it is all of it.
  if (asked.length > 1 || sizeBytes === 0) return { status: 200 };
  return { status: 206, ...only };
}

type RangeSpec = { first: number; last: number } | { suffix: number };

function parseRange(text: string): RangeSpec | undefined {
  const found = /^(\d*)\s*-\s*(\d*)$/.exec(text);
  const [, first = '', last = ''] = found ?? [];
  if (first === '') return last === '' ? undefined : { suffix: Number(last) };
  const spec = { first: Number(first), last: last === '' ? Infinity : Number(last) };
  return spec.last < spec.first ? undefined : spec;
}

function place(spec: RangeSpec, sizeBytes: number): { start: number; end: number } | undefined {
  const end = sizeBytes - 1;
  if ('suffix' in spec) {
    return spec.suffix === 0 ? undefined : { start: Math.max(0, sizeBytes - spec.suffix), end };
  }
  if (spec.first >= sizeBytes) return undefined;
  return { start: spec.first, end: Math.min(spec.last, end) };
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const imfDate = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;

/** Seconds since 1970 of an IMF-fixdate; the obsolete forms are answered as if absent. */
function parseDate(text: string | undefined): number | undefined {
  const [, day, month = '', year, hour, minute, second] = imfDate.exec(text?.trim() ?? '') ?? [];
  const monthIndex = months.indexOf(month);
  if (monthIndex < 0) return undefined;
  const time = Date.UTC(
    Number(year),
    monthIndex,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  return Math.floor(time / 1_000);
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);
