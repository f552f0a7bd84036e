import type { Effects, Entry, Input, Request, Response } from '#cluster/raft/core/types.ts';
import type { Story } from './types.ts';

export function createStory(): Story {
  const lines: string[] = [];
  const chart: string[] = [];
  const note = (at: number, text: string) => {
    lines.push(`${at.toFixed(2).padStart(10)}  ${text}`);
  };
  return {
    note,
    message(at, { from, to, request, response }) {
      const arrow = response ? '-->>' : '->>';
      const text = request ? tellRequest(request) : response ? tellResponse(response) : '';
      chart.push(`  ${from}${arrow}${to}: ${at.toFixed(1)} ${text}`);
    },
    step(at, node, { input, effects }) {
      for (const text of tellEffects(effects)) {
        note(at, `${node.id} ${text} (${tellInput(input)})`);
      }
    },
    lines: (last) => lines.slice(-last),
    chart: (last) => ['sequenceDiagram', ...chart.slice(-last)],
  };
}

function tellInput(input: Input): string {
  switch (input.type) {
    case 'request':
      return `${tellRequest(input.request)} from ${input.request.from.id}`;
    case 'answer':
      return `${tellResponse(input.response)} from ${input.from} to ${tellRequest(input.request)}`;
    case 'failed':
      return `${tellRequest(input.request)} to ${input.to} ${input.reason}`;
    case 'saved':
      return `saved ${input.save}`;
    case 'change':
      return `${input.change.kind} ${input.change.id}`;
    case 'read':
      return `read ${input.id} ${input.mode}`;
    case 'tick':
    case 'propose':
    case 'transfer':
    case 'stepDown':
    case 'snapshotTaken':
    case 'snapshotReceived':
    case 'snapshotAborted':
      return input.type;
  }
}

function tellEntries(entries: readonly Entry[]): string {
  const last = entries[entries.length - 1];
  if (!entries[0] || !last) return 'nothing';
  return `${entries[0].index}-${last.index} of term ${last.term}`;
}

function tellRequest(request: Request): string {
  switch (request.kind) {
    case 'append': {
      const { term, prevIndex, prevTerm, entries, commit } = request;
      if (request.isHeartbeat) return `heartbeat t${term}`;
      return `append t${term} ${prevIndex}/${prevTerm} + ${tellEntries(entries)} commit ${commit}`;
    }
    case 'vote':
    case 'preVote': {
      const { kind, term, lastIndex, lastTerm } = request;
      return `${kind} t${term} ${lastIndex}/${lastTerm}`;
    }
    case 'install': {
      const { index, term } = request.snapshot;
      return `install t${request.term} ${index}/${term}`;
    }
    case 'timeoutNow':
      return 'timeoutNow';
  }
}

function tellResponse(response: Response): string {
  if (response.kind === 'timeoutNow') return 'timeoutNow taken';
  const isGood = 'isGranted' in response ? response.isGranted : response.isSuccess;
  const last = response.kind === 'append' ? ` last ${response.lastLog}` : '';
  return `${response.kind} ${isGood ? 'yes' : 'no'} t${response.term}${last}`;
}

function* tellEffects(effects: Effects): Iterable<string> {
  for (const { role, term, because } of effects.roles) yield `is ${role} in t${term}: ${because}`;
  const { save } = effects;
  if (save) {
    const cut = save.truncateFrom === undefined ? '' : ` cuts from ${save.truncateFrom}`;
    const hard = save.hardState;
    const vote = hard ? ` t${hard.term} vote ${hard.vote?.id ?? 'none'}` : '';
    const snapshot = save.snapshot ? ` snapshot ${save.snapshot.index}` : '';
    yield `saves ${save.number}:${vote}${snapshot}${cut} ${tellEntries(save.entries)}`;
  }
  for (const { index, configuration, isCommitted } of effects.configurations) {
    const voters = configuration.servers.map(({ id, suffrage }) =>
      suffrage === 'voter' ? id : `(${id})`,
    );
    yield `${isCommitted ? 'committed' : 'goes by'} members at ${index}: ${voters.join(' ')}`;
  }
  if (effects.restore) yield `restores the snapshot at ${effects.restore.index}`;
  if (effects.apply.length > 0) yield `applies ${tellEntries(effects.apply)}`;
  for (const read of effects.reads) {
    yield 'refused' in read ? `refuses read ${read.id}` : `read ${read.id} at ${read.index}`;
  }
  if (effects.outcome && !effects.outcome.isAccepted) yield `refuses: ${effects.outcome.reason}`;
  if (effects.transfer) yield `transfer: ${effects.transfer}`;
}
