/** From the gravest on. */
export const levels = ['error', 'warn', 'info', 'debug'] as const;
export type Level = (typeof levels)[number];

/** One line of the log, with secrets taken out already. */
export interface Line {
  /** Rises with each line, over restarts too: it begins as the time, in milliseconds since 1970. */
  readonly id: number;
  /** ISO 8601. */
  readonly at: string;
  readonly level: Level;
  /** The part of the node that speaks; undefined for the node itself. */
  readonly module: string | undefined;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Which lines; absent means all. */
export interface Question {
  /** And those that are graver. */
  readonly level?: Level | undefined;
  readonly module?: string | undefined;
  /** In the message or the fields, in upper or lower case. */
  readonly text?: string | undefined;
  /** Only lines older than this id. */
  readonly before?: number | undefined;
  /** Only lines newer than this id. */
  readonly after?: number | undefined;
  readonly limit: number;
}

export interface LinePage {
  /** The newest first. */
  readonly lines: readonly Line[];
  /** There are older ones that were asked for too. */
  readonly hasMore: boolean;
}

export interface RingLimits {
  readonly lines: number;
  readonly bytes: number;
}

export interface RingStats {
  readonly lines: number;
  readonly bytes: number;
  /** That made way for newer ones. */
  readonly dropped: number;
  /** Since the start, by level. */
  readonly seen: Readonly<Record<Level, number>>;
}

export interface LogRing {
  add(line: Omit<Line, 'id'>): void;
  page(question: Question): LinePage;
  /** Those of which there are lines, in order. */
  modules(): readonly string[];
  /** Of the oldest line that is kept; undefined when there is none. */
  since(): string | undefined;
  stats(): RingStats;
}

interface Kept extends Omit<Line, 'fields'> {
  /** As JSON, which takes a fraction of the memory. */
  readonly fields: string;
  readonly bytes: number;
}

/** Warnings and errors have a place of their own: requests of one evening do not push them out. */
export const defaultLimits = {
  grave: { lines: 1_000, bytes: 1_000_000 },
  other: { lines: 4_000, bytes: 2_000_000 },
} as const satisfies Record<string, RingLimits>;

const messageMax = 2_000;
const fieldsMax = 8_000;
/** What a line costs beside its texts. */
const overheadBytes = 120;

/** The latest lines of a node's log, in memory. `now` gives milliseconds since 1970. */
export function createLogRing(
  now: () => number,
  limits: Readonly<Record<'grave' | 'other', RingLimits>> = defaultLimits,
): LogRing {
  const grave = createShelf(limits.grave);
  const other = createShelf(limits.other);
  const seen = { error: 0, warn: 0, info: 0, debug: 0 };
  let lastId = 0;
  return {
    add(line) {
      lastId = Math.max(lastId + 1, now());
      seen[line.level] += 1;
      const shelf = line.level === 'error' || line.level === 'warn' ? grave : other;
      shelf.add(keptOf(line, lastId));
    },
    page: (question) => pick(newestFirst(grave.lines(), other.lines()), question),
    modules: () =>
      [
        ...new Set([...grave.lines(), ...other.lines()].flatMap(({ module }) => module ?? [])),
      ].sort(),
    since: () => [grave.lines()[0], other.lines()[0]].flatMap((line) => line?.at ?? []).sort()[0],
    stats: () => ({
      lines: grave.lines().length + other.lines().length,
      bytes: grave.bytes() + other.bytes(),
      dropped: grave.dropped() + other.dropped(),
      seen: { ...seen },
    }),
  };
}

/** The newest of one kind, the oldest first. */
function createShelf(limits: RingLimits) {
  const lines: Kept[] = [];
  let bytes = 0;
  let dropped = 0;
  return {
    lines: (): readonly Kept[] => lines,
    bytes: () => bytes,
    dropped: () => dropped,
    add(line: Kept) {
      lines.push(line);
      bytes += line.bytes;
      while (lines.length > limits.lines || bytes > limits.bytes) {
        bytes -= lines.shift()?.bytes ?? 0;
        dropped += 1;
      }
    },
  };
}

function keptOf({ message, fields, ...line }: Omit<Line, 'id'>, id: number): Kept {
  const text = clip(message, messageMax);
  const json = JSON.stringify(fields);
  const kept = json.length <= fieldsMax ? json : JSON.stringify({ clipped: clip(json, fieldsMax) });
  const bytes = Buffer.byteLength(text) + Buffer.byteLength(kept) + overheadBytes;
  return { ...line, id, message: text, fields: kept, bytes };
}

const clip = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max).toWellFormed()}…`;

/** Of two lists that begin with their oldest. */
function* newestFirst(left: readonly Kept[], right: readonly Kept[]): Generator<Kept> {
  let [l, r] = [left.length - 1, right.length - 1];
  while (l >= 0 || r >= 0) {
    const [a, b] = [left[l], right[r]];
    if (a && (!b || a.id > b.id)) {
      l -= 1;
      yield a;
    } else if (b) {
      r -= 1;
      yield b;
    }
  }
}

function pick(lines: Iterable<Kept>, { limit, after = 0, ...question }: Question): LinePage {
  const isWanted = matcher(question);
  const found: Line[] = [];
  for (const line of lines) {
    if (line.id <= after) break;
    if (!isWanted(line)) continue;
    if (found.length === limit) return { lines: found, hasMore: true };
    const fields = JSON.parse(line.fields) as Record<string, unknown>;
    const { id, at, level, module, message } = line;
    found.push({ id, at, level, module, message, fields });
  }
  return { lines: found, hasMore: false };
}

function matcher({ level, module, text, before }: Omit<Question, 'limit' | 'after'>) {
  const gravest = levels.indexOf(level ?? 'debug');
  const wanted = text?.toLowerCase();
  // As it stands in JSON, where quotes and line ends are written otherwise.
  const inJson = wanted && JSON.stringify(wanted).slice(1, -1);
  return (line: Kept): boolean =>
    (before === undefined || line.id < before) &&
    levels.indexOf(line.level) <= gravest &&
    (module === undefined || line.module === module) &&
    (!wanted ||
      line.message.toLowerCase().includes(wanted) ||
      line.fields.toLowerCase().includes(inJson ?? wanted));
}
