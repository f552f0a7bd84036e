import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';

/** One answer, or what came instead of one. */
export interface Answer {
  readonly path: string;
  /** 0 when there was none. */
  readonly status: number;
  /** The tail of the problem's type, or why there was no answer. */
  readonly code: string | undefined;
  readonly retryAfter: string | null;
  readonly tookMs: number;
}

/** Readers that ask one thing after the other until they are stopped. */
export interface Load extends AsyncDisposable {
  /** The answers since the last call. */
  take(): Answer[];
  /** Resolves when so many more have come; rejects when that takes too long. */
  more(count: number): Promise<void>;
}

/** What the readers ask for, over and over. */
export interface LoadOptions {
  readonly url: string;
  readonly token: string;
  /** The path of the n-th request; some the same again and again, some never asked before. */
  readonly path: (request: number) => string;
}

const readers = 8;
/** Eight readers at this pace stay below the limit on requests of one session. */
const paceMs = 90;
const hangMs = 15_000;
const moreMaxMs = 90_000;

/** Starts eight readers. */
export function startLoad({ url, token, path }: LoadOptions): Load {
  const stopping = new AbortController();
  let answers: Answer[] = [];
  let asked = 0;
  let count = 0;
  const read = async () => {
    while (!stopping.signal.aborted) {
      answers.push(await ask(url, token, path(asked++)));
      count++;
      await pause(paceMs);
    }
  };
  const reading = Array.from({ length: readers }, read);
  return {
    take() {
      const taken = answers;
      answers = [];
      return taken;
    },
    async more(wanted) {
      const goal = count + wanted;
      for (const end = Date.now() + moreMaxMs; count < goal; await pause(20)) {
        if (Date.now() > end) throw new Error(`${goal - count} answers are still to come`);
      }
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(reading);
    },
  };
}

async function ask(url: string, token: string, path: string): Promise<Answer> {
  const begin = performance.now();
  const headers = { authorization: `Bearer ${token}` };
  const facts = await fetch(url + path, { headers, signal: AbortSignal.timeout(hangMs) }).then(
    async (response) => ({
      status: response.status,
      code: codeOf(await response.text()),
      retryAfter: response.headers.get('retry-after'),
    }),
    ({ message, cause }: Error) => ({
      ...{ status: 0, retryAfter: null },
      code: cause instanceof Error ? cause.message : message,
    }),
  );
  return { path, ...facts, tookMs: Math.round(performance.now() - begin) };
}

function codeOf(text: string): string | undefined {
  const { type } = JSON.parse(text) as { type?: unknown };
  return typeof type === 'string' ? type.replace('/problems/', '') : undefined;
}

/** Counts answers by status and code, with the slowest of each, in milliseconds. */
export function summary(answers: readonly Answer[]): Record<string, string> {
  const groups = Map.groupBy(answers, ({ status, code = '' }) => `${status} ${code}`.trim());
  return Object.fromEntries(
    [...groups].map(([key, group]) => {
      const times = group.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
      const median = times[Math.floor(times.length / 2)];
      return [key, `${group.length}, median ${median} ms, slowest ${times.at(-1)} ms`];
    }),
  );
}

/** Fails unless all were answered well. */
export function expectFine(answers: readonly Answer[]): void {
  expect(answers.filter(({ status }) => status !== 200)).to.deep.equal([]);
}

/** Fails unless each was answered well, or told in time that the database is away. */
export function expectFineOrAway(answers: readonly Answer[], maxMs: number): void {
  const isAway = ({ status, code, retryAfter }: Answer) =>
    status === 503 && code === 'database-unavailable' && Number(retryAfter) > 0;
  expect(answers.filter((one) => one.status !== 200 && !isAway(one))).to.deep.equal([]);
  expect(answers.filter(({ tookMs }) => tookMs > maxMs)).to.deep.equal([]);
}
