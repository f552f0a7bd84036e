import type { Request, Response, Send } from '#cluster/raft/core/types.ts';
import { holds } from './disk.ts';
import { mirrorTerm } from './mirror.ts';
import { must } from './world.ts';
import type { SimNode } from './types.ts';

/** Property 8: nothing leaves before what it promises is on the disk. */
export function checkSend({ id, disk, address }: SimNode, { request }: Send): void {
  if (request.kind === 'preVote' || request.kind === 'timeoutNow') return;
  const { term } = request;
  must(
    disk.hardState.term >= term,
    'promises',
    () => `${id} sends a ${request.kind} of term ${term}; its disk knows ${disk.hardState.term}`,
  );
  if (request.kind === 'vote') {
    must(
      disk.votes.get(term) === address,
      'promises',
      () => `${id} asks for votes in term ${term} before its own is on the disk`,
    );
  }
  if (request.kind === 'append' && !request.isHeartbeat) {
    must(
      request.commit <= request.prevIndex + request.entries.length,
      'commit',
      () => `${id} sends commit ${request.commit}, past the entries it sends`,
    );
  }
}

export function checkReply(node: SimNode, request: Request, response: Response): void {
  const { id, disk, mirror } = node;
  if (response.kind === 'timeoutNow') return;
  // A pre-vote's answer repeats the term that was asked for, as hashicorp's does: no promise.
  const isEcho = request.kind === 'preVote' && response.term <= request.term;
  must(
    isEcho || disk.hardState.term >= response.term,
    'promises',
    () =>
      `${id} answers a ${request.kind} with term ${response.term}; ` +
      `its disk knows ${disk.hardState.term}`,
  );
  if (request.kind === 'vote' && response.kind === 'vote' && response.isGranted) {
    must(
      disk.votes.get(request.term) === request.from.address,
      'promises',
      () => `${id} grants its vote of term ${request.term}, which is not on its disk`,
    );
  }
  if (request.kind === 'append' && response.kind === 'append' && response.isSuccess) {
    const last = request.entries[request.entries.length - 1];
    if (!last) return;
    const inMemory = mirrorTerm(mirror, last.index);
    must(
      holds(disk, last.index, last.term) && (inMemory === undefined || inMemory === last.term),
      'promises',
      () => `${id} confirms entry ${last.index} of term ${last.term}, which is not on its disk`,
    );
  }
  if (request.kind === 'install' && response.kind === 'install' && response.isSuccess) {
    must(
      holds(disk, request.snapshot.index, request.snapshot.term),
      'promises',
      () => `${id} confirms the snapshot at ${request.snapshot.index}, which is not on its disk`,
    );
  }
}
