import Table from 'cli-table3';
import type { Round } from './lab.ts';
import { classes, type ClassSummary } from './record.ts';

const heads: Readonly<Record<ClassSummary['class'], string>> = {
  read: 'read',
  'read with index': 'indexed',
  list: 'list',
  range: 'range',
  write: 'write',
  append: 'append',
  local: 'local',
};

/** What came of the rounds, one line each, and below them why some are not passed. Pure. */
export function showRounds(rounds: readonly Round[]): string {
  const table = new Table({
    head: ['FAULT', 'WHOM', '', ...classes.map((each) => heads[each]), 'SAME AFTER'],
    style: { head: [], border: [], compact: true },
  });
  for (const round of rounds) {
    table.push([
      `${round.fault} ${round.outageMs / 1000} s`,
      `${round.victim}${round.wasLeader ? '*' : ''}`,
      round.failures.length === 0 ? 'pass' : 'FAIL',
      ...classes.map((name) => cellOf(round.classes.find((each) => each.class === name))),
      round.convergedMs === undefined ? 'never' : String(round.convergedMs),
    ]);
  }
  const notes = rounds.flatMap((round) => notesOf(round));
  return [
    'Longest time without a good answer in ms/failed requests, by class; * it led:',
    table.toString(),
    ...notes,
  ].join('\n');
}

const cellOf = (found: ClassSummary | undefined): string =>
  found ? `${found.gapMs}/${found.failed}` : '';

function notesOf(round: Round): string[] {
  const { judgement, fault, seed } = round;
  const statuses = round.classes.flatMap((each) =>
    Object.entries(each.statuses).map(([status, count]) => `  ${each.class}: ${count} × ${status}`),
  );
  const samples = [...(['lost', 'doubled', 'stale', 'unseen', 'unordered'] as const)].flatMap(
    (kind) => judgement[kind].slice(0, 3).map((each) => `  ${kind}: ${each}`),
  );
  return [
    `${fault}, seed ${seed}: ${round.failures.join('; ') || 'passed'}`,
    `  oldest read without an index: ${Math.round(judgement.oldestReadMs)} ms; ` +
      `term ${round.terms.join(' → ')}; ${judgement.registersChecked} registers checked`,
    ...samples,
    ...statuses,
  ];
}
