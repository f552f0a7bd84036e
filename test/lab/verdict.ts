import type { NamedFault } from './faults.ts';
import type { Fault } from './faults/fault.ts';
import type { Judgement } from './judge.ts';
import type { ClassSummary } from './record.ts';

/** What came of one fault. */
export interface Round {
  readonly fault: string;
  readonly seed: number;
  readonly outageMs: number;
  /** Clients knew one address in front of all nodes only. */
  readonly isBalanced: boolean;
  readonly victim: string;
  readonly wasLeader: boolean;
  readonly classes: readonly ClassSummary[];
  readonly judgement: Judgement;
  /** Milliseconds from the fault's end until all nodes knew the same; undefined: not in time. */
  readonly convergedMs: number | undefined;
  readonly terms: readonly [before: number, after: number];
  /** Terms with two leaders, since the lab was opened. */
  readonly twoLeaders: readonly string[];
  /** How often a node ended by itself. */
  readonly crashes: number;
  /** How many processes wanted to run at its end, of this machine's so many cores. */
  readonly load: number;
  /** What the fault itself found out. */
  readonly notes: readonly string[];
  /** Why it is not passed; empty: it is. */
  readonly failures: readonly string[];
}

export type Outcome = Omit<Round, 'fault' | 'seed' | 'failures' | 'victim' | 'notes' | 'load'>;

/** What a client may have to wait for a write when one node is lost: an election and a little. */
const writeGapMs = 3_000;
/** `cluster.max_staleness`, and what it takes to notice and to answer on a busy machine. */
const oldestMs = 12_000;
export const convergeMaxMs = 30_000;

/** Why a round is not passed. Pure. */
export function failuresOf(named: NamedFault, outcome: Outcome): string[] {
  return [
    ...wrongAnswers(outcome.judgement),
    ...wrongStates(named, outcome),
    ...wrongGaps(named, outcome),
  ];
}

const counted = (found: readonly (readonly [number, string])[]): string[] =>
  found.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);

function wrongAnswers(judgement: Judgement): string[] {
  const found = counted([
    [judgement.lost.length, 'acknowledged changes are lost'],
    [judgement.doubled.length, 'changes happened twice under one key'],
    [judgement.stale.length, 'reads are older than the index they named'],
    [judgement.unseen.length, 'clients do not see their own progress'],
    [judgement.unordered.length, 'contradictions: not linearizable'],
    [judgement.wrongBytes, 'ranges are not the film’s bytes'],
  ]);
  if (judgement.oldestReadMs <= oldestMs) return found;
  return [...found, `a read without an index was ${Math.round(judgement.oldestReadMs)} ms old`];
}

function wrongStates({ fault }: NamedFault, outcome: Outcome): string[] {
  const { terms, convergedMs, crashes, wasLeader } = outcome;
  const found = [...outcome.twoLeaders];
  const newTerms = terms[1] - terms[0];
  // Who does not lead has no business to end another's leadership.
  const mostTerms = fault.isGlobal || wasLeader ? fault.mostTerms : 0;
  if (mostTerms !== undefined && newTerms > mostTerms) {
    found.push(`${newTerms} new terms, where ${mostTerms} may be`);
  }
  if (convergedMs === undefined) found.push(`the nodes do not agree within ${convergeMaxMs} ms`);
  if (crashes > 0 && !fault.mayEnd) found.push(`nodes ended by themselves ${crashes} times`);
  return found;
}

function wrongGaps({ fault }: NamedFault, outcome: Outcome): string[] {
  const { classes, outageMs } = outcome;
  if (outcome.isBalanced) return wrongThroughBalancer(fault, classes);
  const mayWaitMs = (fault.stopsWrites ? outageMs : 0) + (fault.gapMs ?? writeGapMs);
  return classes.flatMap((each) => {
    const isChange = each.class === 'write' || each.class === 'append';
    // Who changes something tries again under its key; what counts for it is how long it waits.
    if (isChange) return each.gapMs > mayWaitMs ? [`no ${each.class} for ${each.gapMs} ms`] : [];
    return fault.stopsReads ? [] : counted([[each.failed, `failed: ${each.class}`]]);
  });
}

/** It knows which node stops, so nothing of anybody fails; who is killed takes some with it. */
const wrongThroughBalancer = ({ isGraceful }: Fault, classes: Outcome['classes']): string[] =>
  classes.flatMap(({ class: each, failed, excused, gapMs }) => {
    if (isGraceful) return counted([[failed + excused, `failed: ${each}`]]);
    return gapMs > writeGapMs ? [`no ${each} for ${gapMs} ms`] : [];
  });
