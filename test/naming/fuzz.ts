// `node test/naming/fuzz.ts [COUNT] [SEED]`: reads made-up names; says how many threw and how long
// the slowest took. Names are made of the pieces that real ones are made of, and of noise.
import cases from '#test/fixtures/naming/paths.json' with { type: 'json' };
import { identifyPath } from '#services/naming/identify.ts';

const count = Number(process.argv[2] ?? 1_000_000);
let state = Number(process.argv[3] ?? 1) | 0;

/** Numbers from 0 to below `below`, the same for the same seed (xorshift, Marsaglia 2003). */
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

const pieces = cases.flatMap(({ path }) => path.split(/(?<=[ ._\-/[\]()])/));
const noise = '[](){}<>-_.,~!@#$%^&*+=| \t\u0000éßЖ漢💿0123456789xXsSeEvVpP/\\';

function made(): string {
  const parts: string[] = [];
  const length = 1 + random(24);
  for (let index = 0; index < length; index += 1) {
    const isNoise = random(4) === 0;
    const times = random(40) === 0 ? 300 : 1;
    const part = isNoise
      ? (noise[random(noise.length)] ?? '')
      : (pieces[random(pieces.length)] ?? '');
    parts.push(part.repeat(times));
  }
  return parts.join('');
}

/** Milliseconds that reading a path takes; undefined: it threw. */
function timed(path: string): number | undefined {
  const before = performance.now();
  try {
    identifyPath(path, { latestYear: 2030 });
  } catch (error) {
    process.stdout.write(`threw: ${JSON.stringify(path)}: ${String(error)}\n`);
    return undefined;
  }
  return performance.now() - before;
}

/** Of a slow one the best of five more: a busy machine, or a collection, is not the name's fault. */
function settled(path: string, first: number): number {
  if (first < 2) return first;
  return Math.min(first, ...Array.from({ length: 5 }, () => timed(path) ?? first));
}

let thrown = 0;
let over = 0;
let slowest = { ms: 0, path: '' };
const begun = performance.now();
for (let index = 0; index < count; index += 1) {
  const path = made();
  const first = timed(path);
  if (first === undefined) thrown += 1;
  const ms = settled(path, first ?? 0);
  if (ms > 5) over += 1;
  if (ms > slowest.ms) slowest = { ms, path };
}
const seconds = (performance.now() - begun) / 1_000;
process.stdout.write(
  `${count} paths, ${Math.round(count / seconds)}/s; ${thrown} threw; slowest ` +
    `${slowest.ms.toFixed(2)} ms (${over} over 5 ms): ` +
    `${JSON.stringify(slowest.path.slice(0, 120))}\n`,
);
