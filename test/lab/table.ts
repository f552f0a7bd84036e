import Table from 'cli-table3';
import { classes, type ClassSummary } from './record.ts';
import type { Round } from './verdict.ts';

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
    ...round.notes.map((note) => `  ${note}`),
    ...samples,
    ...statuses,
  ];
}

/** All rounds together, by class: requests, those that failed, the longest gap; and what is wrong. */
export function showSum(rounds: readonly Round[]): string {
  const lines = classes.map((name) => {
    const own = rounds.flatMap((round) => round.classes.filter((each) => each.class === name));
    const sum = (pick: (each: ClassSummary) => number) =>
      own.reduce((total, each) => total + pick(each), 0);
    const longest = Math.max(0, ...own.map(({ gapMs }) => gapMs));
    return (
      `  ${heads[name]}: ${sum(({ count }) => count)} asked, ${sum(({ failed }) => failed)} failed, ` +
      `${sum(({ excused }) => excused)} refused by who was away, longest gap ${longest} ms`
    );
  });
  const wrong = (['lost', 'doubled', 'stale', 'unseen', 'unordered'] as const).map((kind) => {
    return `${kind} ${rounds.reduce((sum, { judgement }) => sum + judgement[kind].length, 0)}`;
  });
  const failed = rounds.filter(({ failures }) => failures.length > 0).length;
  const checked = rounds.reduce((sum, { judgement }) => sum + judgement.registersChecked, 0);
  const summary = `${rounds.length} rounds, ${failed} not passed; ${checked} histories checked; `;
  return [`${summary}${wrong.join(', ')}`, ...lines].join('\n');
}
