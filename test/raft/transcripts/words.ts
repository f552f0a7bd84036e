import type {
  Configuration,
  Effects,
  Entry,
  Request,
  Response,
  Save,
} from '#cluster/raft/core/types.ts';
import type { Letter, TestNode } from './cluster.ts';

/** What happened, in the words of a story. */
const decoder = new TextDecoder();

export function entryWords(entry: Entry): string {
  const isNamed = entry.type === 'command' && entry.data.length > 0;
  const what = isNamed ? `“${decoder.decode(entry.data)}”` : entry.type;
  return `${entry.index}/${entry.term} ${what}`;
}

export function configurationWords(configuration: Configuration): string {
  const { servers } = configuration;
  return servers.map(({ id, suffrage }) => (suffrage === 'voter' ? id : `(${id})`)).join(' ');
}

function listWords(entries: readonly Entry[]): string {
  return entries.length > 0 ? entries.map(entryWords).join(', ') : 'nothing';
}

export function isBeat(request: Request): boolean {
  return request.kind === 'append' && request.isHeartbeat;
}

export function letterWords({ from, to, request, response }: Letter): string {
  return response
    ? `  ${from} ← ${to}: ${responseWords(response, isBeat(request))}`
    : `  ${from} → ${to}: ${requestWords(request)}`;
}

function requestWords(request: Request): string {
  switch (request.kind) {
    case 'append':
      return request.isHeartbeat
        ? `heartbeat of term ${request.term}`
        : `after ${request.prevIndex}/${request.prevTerm}: ${listWords(request.entries)}; commit ${request.commit}`;
    case 'vote':
      return `vote for me in term ${request.term}? my log ends at ${request.lastIndex}/${request.lastTerm}${request.isTransfer ? ', and I was told to lead' : ''}`;
    case 'preVote':
      return `would you vote for me in term ${request.term}? my log ends at ${request.lastIndex}/${request.lastTerm}`;
    case 'install':
      return `a snapshot of ${request.snapshot.index}/${request.snapshot.term}`;
    case 'timeoutNow':
      return 'lead, now';
  }
}

function responseWords(response: Response, isOfBeat: boolean): string {
  if (response.kind === 'timeoutNow') return 'heard';
  if (response.kind === 'append') {
    const words = response.isSuccess ? 'yes' : `no, try after ${response.lastLog}`;
    return `${words} (${isOfBeat ? 'heartbeat, ' : ''}term ${response.term})`;
  }
  const isYes = response.kind === 'install' ? response.isSuccess : response.isGranted;
  return `${isYes ? 'yes' : 'no'} (term ${response.term})`;
}

export function saveWords(save: Save): string {
  const words: string[] = [];
  const { hardState, snapshot, truncateFrom, entries, compactTo } = save;
  if (hardState) words.push(`term ${hardState.term}, vote ${hardState.vote?.id ?? 'for nobody'}`);
  if (snapshot) words.push(`the snapshot ${snapshot.index}/${snapshot.term} in place of the log`);
  if (truncateFrom !== undefined) words.push(`nothing from ${truncateFrom} on`);
  if (entries.length > 0) words.push(listWords(entries));
  if (compactTo !== undefined) words.push(`nothing up to ${compactTo}`);
  return words.join('; then ');
}

/** The lines of one step. Saves are told only of disks that are slow, where they matter. */
export function effectWords({ id, isSlow }: TestNode, effects: Effects): string[] {
  const lines: string[] = [];
  for (const { role, term, leader, because } of effects.roles) {
    const whom = role === 'follower' && leader ? ` of ${leader.id ?? leader.address}` : '';
    lines.push(`${id} is ${role}${whom} in term ${term}: ${because}`);
  }
  for (const { configuration, index, isCommitted } of effects.configurations) {
    const state = isCommitted ? 'committed' : 'in force';
    lines.push(`${id}: members ${configurationWords(configuration)}, of ${index}, ${state}`);
  }
  if (effects.save && isSlow) lines.push(`${id} begins to save: ${saveWords(effects.save)}`);
  if (effects.restore) lines.push(`${id} restores the snapshot of ${effects.restore.index}`);
  const applied = effects.apply.filter(({ type }) => type === 'command');
  if (applied.length > 0) lines.push(`${id} applies ${listWords(applied)}`);
  for (const read of effects.reads) {
    const how = 'refused' in read ? `refused, ${read.refused}` : `good at ${read.index}`;
    lines.push(`${id}: read ${read.id} is ${how}`);
  }
  const { outcome, transfer } = effects;
  if (outcome) {
    const detail = outcome.isAccepted ? '' : outcome.detail ? ` (${outcome.detail})` : '';
    const words = outcome.isAccepted
      ? `accepted at ${outcome.index}`
      : `refused, ${outcome.reason}`;
    lines.push(`${id}: ${words}${detail}`);
  }
  if (transfer) lines.push(`${id}: the transfer ended, ${transfer}`);
  return lines;
}
