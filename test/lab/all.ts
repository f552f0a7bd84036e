import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { z } from 'zod';
import { catalogue, type Drive, type Entry, type Proof } from './catalogue.ts';
import { parseFault } from './faults.ts';
import { openLab } from './lab.ts';
import type { Round } from './verdict.ts';
import { layoutFor, whyNot } from './wish.ts';

const result = z.object({
  isPassed: z.boolean(),
  /** Longest time without a good answer, and what else is worth a word. */
  said: z.string(),
  date: z.string(),
});
type Result = z.infer<typeof result>;
const results = z.record(z.string(), result);

export interface AllWish {
  /** F1, F7 …; empty: all. */
  readonly only: readonly string[];
  readonly seed: number;
  /** Keeps what came of them, so that some can be run again; undefined: nowhere. */
  readonly file: string | undefined;
  readonly say: (line: string) => void;
}

/** Runs the whole catalogue, and resolves to its table, and whether all passed. */
export async function runAll(wish: AllWish): Promise<{ table: string; isPassed: boolean }> {
  const entries = catalogue.filter(({ id }) => wish.only.length === 0 || wish.only.includes(id));
  const known = await readResults(wish.file);
  const keep = async (key: string, came: Omit<Result, 'date'>) => {
    known[key] = { ...came, date: new Date().toISOString().slice(0, 10) };
    wish.say(`${key}: ${came.isPassed ? 'pass' : 'FAIL'}, ${came.said}`);
    if (wish.file !== undefined) await writeFile(wish.file, JSON.stringify(known, undefined, 1));
  };
  for (const nodes of new Set(entries.flatMap(({ drives = [] }) => drives.map(nodesOf)))) {
    await driveAll(wish, { entries, nodes, keep });
  }
  for (const proof of new Set(entries.flatMap(({ proofs = [] }) => proofs))) {
    await keep(testCommand(proof), await runTest(proof));
  }
  const table = showCatalogue(known, wish.seed);
  return { table, isPassed: Object.values(known).every(({ isPassed }) => isPassed) };
}

async function readResults(file: string | undefined): Promise<Record<string, Result>> {
  if (file === undefined || !existsSync(file)) return {};
  return results.parse(JSON.parse(await readFile(file, 'utf8')));
}

const nodesOf = ({ nodes = 3 }: Drive): number => nodes;
const usualOutage = 10;

/** What runs one of them alone. */
export function labCommand({ fault, nodes, outage }: Drive, seed: number): string {
  return [
    `npm run lab -- --faults ${fault}`,
    ...(nodes === undefined ? [] : [`--nodes ${nodes}`]),
    ...(outage === undefined ? [] : [`--outage ${outage}`]),
    `--seed ${seed}`,
  ].join(' ');
}

const testCommand = ({ file, title }: Proof) => `npx mocha ${file} -g '${title}'`;

interface Part {
  readonly entries: readonly Entry[];
  readonly nodes: number;
  readonly keep: (key: string, came: Omit<Result, 'date'>) => Promise<void>;
}

/** One lab for all drives of so many nodes. */
async function driveAll({ seed, say }: AllWish, { entries, nodes, keep }: Part): Promise<void> {
  const byCommand = new Map<string, Drive>();
  for (const drive of entries.flatMap(({ drives = [] }) => drives)) {
    if (nodesOf(drive) === nodes) byCommand.set(labCommand(drive, seed), drive);
  }
  const possible = [...byCommand].filter(([key, { fault }]) => {
    const why = whyNot(parseFault(fault), nodes);
    if (why !== undefined) say(`${key}: left out, ${why}`);
    return why === undefined;
  });
  if (possible.length === 0) return;
  const named = possible.map(([, { fault }]) => parseFault(fault));
  await using lab = await openLab({ nodes, needs: layoutFor(named), say });
  for (const [key, { fault, outage = usualOutage }] of possible) {
    try {
      const round = await lab.round(parseFault(fault), { seed, outageMs: outage * 1000 });
      await keep(key, { isPassed: round.failures.length === 0, said: wordsFor(round) });
    } catch (error) {
      await keep(key, { isPassed: false, said: String(error) });
    }
  }
}

const longestWords = 160;
const brief = (text: string) =>
  text.length <= longestWords ? text : `${text.slice(0, longestWords)} …`;

/** What a reader of the table wants to know of a round. Pure. */
export function wordsFor({ classes, failures, notes, terms, load }: Round): string {
  const gaps = classes
    .filter(({ class: each }) => each === 'write' || each === 'read' || each === 'range')
    .map(({ class: each, gapMs }) => `${each} ${(gapMs / 1000).toFixed(1)} s`);
  const failed = classes.reduce((sum, each) => {
    return each.class === 'write' || each.class === 'append' ? sum : sum + each.failed;
  }, 0);
  const figures =
    `gap: ${gaps.join(', ')}; ${failed} failed; ${terms[1] - terms[0]} new terms; ` +
    `load ${load}`;
  return [figures, ...notes, ...failures.map((each) => `**${each}**`)].map(brief).join('; ');
}

async function runTest({ file, title }: Proof): Promise<Omit<Result, 'date'>> {
  const args = ['node_modules/.bin/mocha', file, '-g', title];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  const passing = Number(/(\d+) passing/.exec(said)?.[1] ?? 0);
  const isPassed = code === 0 && passing > 0;
  return { isPassed, said: `${passing} tests pass${isPassed ? '' : ', and not all'}` };
}

const escape = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

/** The catalogue with what came of it, in Markdown. */
function showCatalogue(known: Readonly<Record<string, Result>>, seed: number): string {
  const rows = catalogue.flatMap((entry) => rowsOf(entry, known, seed));
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Linux, Node ${process.version}`;
  return [
    `Machine: ${machine}.`,
    '',
    '| | fault | what must hold | how to run it | result | date |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.map(escape).join(' | ')} |`),
  ].join('\n');
}

function rowsOf(
  { id, what, must, drives = [], proofs = [], not }: Entry,
  known: Readonly<Record<string, Result>>,
  seed: number,
): string[][] {
  const commands = [...drives.map((each) => labCommand(each, seed)), ...proofs.map(testCommand)];
  const rows = commands.map((command) => {
    const came = known[command];
    const result = came ? `${came.isPassed ? 'pass' : 'FAIL'}: ${came.said}` : 'not run';
    return [`\`${command}\``, result, came?.date ?? ''];
  });
  if (not !== undefined) rows.push([`not here: ${not}`, '', '']);
  return rows.map((row, nth) => [...(nth === 0 ? [id, what, must] : ['', '', '']), ...row]);
}
