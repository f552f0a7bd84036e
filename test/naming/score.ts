// `node test/naming/score.ts DIR [--failures FILE]`: how many of the cases in DIR's JSON files the
// naming reads as other programs' tests expect; with --failures what it read instead.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Check, Judge } from './suites/case.ts';
import refusals from './refusals.json' with { type: 'json' };
import { judgeFor } from './suites/index.ts';

/** Cases that are read otherwise on purpose, or not yet: each with its reason in refusals.json. */
const refused: ReadonlySet<string> = new Set(refusals.flatMap(({ cases }) => cases));

const [directory = '.', ...rest] = process.argv.slice(2);
const shown = rest[0] === '--failures' ? (rest[1] ?? '') : undefined;

const unexplained: string[] = [];

interface Tally {
  cases: number;
  passed: number;
  checks: number;
  passedChecks: number;
  refused: number;
  left: Map<string, number>;
}

function judgeFile(file: string, judge: Judge): Tally {
  const { cases } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as {
    cases: (Case & { status?: string })[];
  };
  const tally: Tally = {
    cases: 0,
    passed: 0,
    checks: 0,
    passedChecks: 0,
    refused: 0,
    left: new Map(),
  };
  for (const one of cases) {
    if (one.status !== undefined && one.status !== 'active') continue;
    const checks = judge(one);
    if (typeof checks === 'string') {
      tally.left.set(checks, (tally.left.get(checks) ?? 0) + 1);
      continue;
    }
    const failed = checks.filter(({ passes }) => !passes);
    tally.cases += 1;
    tally.checks += checks.length;
    tally.passedChecks += checks.length - failed.length;
    if (failed.length === 0) tally.passed += 1;
    else {
      if (refused.has(one.id)) tally.refused += 1;
      else unexplained.push(one.id);
      if (shown !== undefined && file.includes(shown)) show(one, failed);
    }
  }
  return tally;
}

function show(one: Case, failed: readonly Check[]): void {
  process.stdout.write(
    `${one.id} ${typeof one.input === 'string' ? one.input : JSON.stringify(one.input)}\n`,
  );
  for (const { property, expected, actual } of failed) {
    process.stdout.write(
      `     ${property}: ${JSON.stringify(expected)} ≠ ${JSON.stringify(actual)}\n`,
    );
  }
}

const percent = (part: number, whole: number) =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;

let all = 0;
let passed = 0;
for (const file of readdirSync(directory)
  .filter((name) => name.endsWith('.json'))
  .sort()) {
  const judge = judgeFor(file);
  if (judge === undefined) continue;
  const tally = judgeFile(file, judge);
  all += tally.cases;
  passed += tally.passed;
  const left = [...tally.left].map(([reason, count]) => `${count} ${reason}`).join('; ');
  process.stdout.write(
    `${file.padEnd(30)} cases ${String(tally.passed).padStart(4)}/${String(tally.cases).padEnd(4)} ${percent(tally.passed, tally.cases).padStart(7)}` +
      `  properties ${String(tally.passedChecks).padStart(4)}/${String(tally.checks).padEnd(4)} ${percent(tally.passedChecks, tally.checks).padStart(7)}` +
      `${tally.refused === 0 ? '' : `  refused ${tally.refused}`}` +
      `${left === '' ? '' : `  left out: ${left}`}\n`,
  );
}
process.stdout.write(`all: ${passed}/${all} ${percent(passed, all)}\n`);
if (unexplained.length > 0) {
  process.stdout.write(`not in refusals.json: ${unexplained.join(', ')}\n`);
  process.exitCode = 1;
}
