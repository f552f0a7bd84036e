import type { Configuration, Entry, HardState } from '../core/types.ts';
import type { State, Verified } from './inspect.ts';
import type { RecoverPlan } from './recover.ts';
import type { RejoinPlan } from './rejoin.ts';

/** Bytes as hexadecimal. */
export function toJson(value: unknown): string {
  const replace = (_: string, one: unknown) =>
    one instanceof Uint8Array ? Buffer.from(one).toString('hex') : one;
  // A Buffer would have become an object by its own toJSON before `replace` sees it; none is here.
  return JSON.stringify(value, replace, 2);
}

export function stateLines(state: State): string[] {
  const { log, snapshot, configuration } = state;
  return [
    `id          ${state.id ?? 'not said'}, generation ${state.generation}`,
    `vote        ${voteText(state.hardState)}`,
    `snapshot    ${snapshot ? `index ${snapshot.index}, term ${snapshot.term}` : 'none'}`,
    `log         ${logText(log)}`,
    `committed   at least ${state.commitHint}`,
    `members     as of entry ${state.configurationIndex}`,
    ...memberLines(configuration),
    ...state.files.map(
      ({ path, index, size }) => `file        ${path}: index ${index}, ${size} bytes`,
    ),
    ...skippedLines(state.skipped),
  ];
}

export function logLines(entries: readonly Entry[]): string[] {
  if (entries.length === 0) return ['no entries'];
  return entries.map(({ index, term, type, data, appendedAt, configuration }) => {
    const when = appendedAt === undefined ? '' : ` ${new Date(appendedAt).toISOString()}`;
    const who = configuration?.servers.map(({ id }) => id).join(',');
    return `${index} term ${term} ${type} ${data.length} bytes${when}${who ? ` ${who}` : ''}`;
  });
}

export function verifyLines({ entries, first, last, snapshots, skipped }: Verified): string[] {
  const range = entries > 0 ? `, ${first} to ${last}` : '';
  return [
    `whole: ${entries} entries${range}; ${snapshots.length} snapshots`,
    ...skippedLines(skipped),
  ];
}

export function recoverLines({ before, after, index, changes, warnings }: RecoverPlan): string[] {
  return [
    `vote        ${voteText(before.hardState)}`,
    `becomes     ${voteText(after.hardState)}`,
    `entry       ${index} with ${after.configuration.servers.length} members:`,
    ...memberLines(after.configuration),
    ...(changes.length > 0 ? changes : ['no change']).map((line) => `change      ${line}`),
    ...warnings.map((line) => `note        ${line}`),
  ];
}

export function rejoinLines({ id, newId, generation }: RejoinPlan): string[] {
  return [
    `wipe        vote, log and snapshots of ${id}; that id must never vote again`,
    `then        start it as ${newId} (generation ${generation}), without bootstrap`,
    `            on the cluster: remove ${id}, add ${newId} as a nonvoter, promote it when it is up to date`,
  ];
}

function voteText({ term, vote }: HardState): string {
  return `term ${term}, ${vote ? `for ${vote.id || '(no id)'} at ${vote.address}` : 'for nobody'}`;
}

function logText({ first, last, lastTerm }: State['log']): string {
  return first > last ? `empty after ${last}` : `${first} to ${last}, last of term ${lastTerm}`;
}

const memberLines = ({ servers }: Configuration) =>
  servers.map(({ id, address, suffrage }) => `            ${id} ${address} ${suffrage}`);

const skippedLines = (skipped: State['skipped']) =>
  skipped.map(({ path, reason }) => `passed over ${path} ${reason}`);
