import { expect } from 'chai';
import { CommandError, exitCode } from '../exit.ts';
import { jsonLines, ownDrawing, watch, type Drawing, type Screen } from './watch.ts';

/** A screen whose beats are the test's: the watching ends after so many. */
function screenOf(beats: number, { isTerminal = false, rows = 24 } = {}) {
  const written: string[] = [];
  const ended = new AbortController();
  let left = beats;
  const screen: Screen = {
    isTerminal,
    rows,
    write: (text) => void written.push(text),
    async rest() {
      if (left === 0) ended.abort();
      left -= 1;
    },
  };
  return { screen, written, signal: ended.signal, end: () => ended.abort() };
}

const away = new CommandError('it does not answer', exitCode.unavailable);

/** Readings 1, 2, 3 …, but a failure where one is given. */
function countingFrom(first: number, failures: Record<number, Error> = {}) {
  let n = first;
  return {
    async read() {
      n += 1;
      const failure = failures[n];
      if (failure) throw failure;
      return { n };
    },
    show: ({ n: shown }: { n: number }) => `reading ${shown}`,
  };
}

const run = (draw: Drawing, screen: ReturnType<typeof screenOf>, failures = {}) =>
  watch({ n: 1 }, countingFrom(1, failures), { draw, ...screen });

describe('cluster commands: watching', () => {
  it('writes one line of JSON per reading', async () => {
    const screen = screenOf(2);
    expect(await run(jsonLines, screen)).to.deep.equal({ n: 3 });
    expect(screen.written.join('')).to.equal('{"n":1}\n{"n":2}\n{"n":3}\n');
  });

  it('writes one below the other where there is no terminal', async () => {
    const screen = screenOf(1);
    await run(ownDrawing(screen.screen), screen);
    expect(screen.written.join('')).to.equal('reading 1\n\nreading 2\n\n');
  });

  it('redraws in place on a terminal, cut to its height', () => {
    const drawing = ownDrawing({ isTerminal: true, rows: 4 });
    const text = drawing.reading({}, () => 'one\ntwo\nthree');
    expect(text.startsWith('\u001b[H')).to.equal(true);
    expect(text).to.include('one\u001b[K\ntwo\u001b[K\u001b[J').and.not.include('three');
    expect(drawing.begin + drawing.end)
      .to.include('\u001b[?7l')
      .and.include('\u001b[?7h');
  });

  it('waits for a node that went away', async () => {
    const screen = screenOf(2);
    expect(await run(jsonLines, screen, { 2: away })).to.deep.equal({ n: 3 });
    expect(screen.written[1]).to.equal('{"error":"it does not answer"}\n');
  });

  it('ends with any other failure, and leaves the terminal as it was', async () => {
    const screen = screenOf(5, { isTerminal: true });
    const drawing = ownDrawing(screen.screen);
    const failed = run(drawing, screen, { 2: new CommandError('no', exitCode.forbidden) });
    expect(await failed.catch((error: Error) => error.message)).to.equal('no');
    expect(screen.written.at(-1)).to.equal(drawing.end);
  });

  it('ends at once while a node is silent', async () => {
    const screen = screenOf(9);
    const read = () => {
      setImmediate(screen.end);
      return new Promise<never>(() => undefined);
    };
    const show = () => '';
    const last = await watch({ n: 1 }, { read, show }, { draw: jsonLines, ...screen });
    expect(last).to.deep.equal({ n: 1 });
  });
});
