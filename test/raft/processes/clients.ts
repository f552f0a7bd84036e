import type { Call, RegisterOp, Verdict } from '../linearizable.ts';
import { checkRegister } from '../linearizable.ts';
import type { Answer, Peer } from './cluster.ts';

/** What one client did: called, and answered or not. Times are of one clock. */
export interface Operation {
  readonly client: number;
  readonly kind: 'get' | 'set' | 'cas' | 'append';
  readonly key: string;
  /** What was set, swapped in or appended. */
  readonly value: string;
  /** What a cas expected. */
  readonly from?: string | null;
  readonly callAt: number;
  readonly endAt: number;
  /** `unknown`: it may have been done, or may yet. */
  readonly outcome: 'done' | 'failed' | 'unknown';
  /** What a get read, or a cas that did not swap. */
  readonly read?: string | null;
}

export interface Clients {
  readonly history: Operation[];
  stop(): Promise<void>;
}

const keys = ['a', 'b', 'c'];

/** Clients that each do one thing after the other, at whichever peer they believe leads. */
export function startClients(peers: readonly Peer[], count: number): Clients {
  const history: Operation[] = [];
  let isStopped = false;
  let serial = 0;

  async function client(number: number): Promise<void> {
    let at = number % peers.length;
    let lastRead: string | null = null;
    for (let turn = 0; !isStopped; turn += 1) {
      const peer = peers[at];
      if (!peer) return;
      const kind = (['append', 'set', 'get', 'cas'] as const)[(turn + number) % 4] ?? 'get';
      const key = keys[(turn + number) % keys.length] ?? 'a';
      const value = `${number}.${(serial += 1)}`;
      const from = kind === 'cas' ? lastRead : undefined;
      const callAt = performance.now();
      const answer = await ask(peer, { kind, key, value, from });
      const endAt = performance.now();
      const outcome = outcomeOf(answer, kind);
      const read = answer?.body['value'];
      const isRead = answer?.status === 200 && read !== undefined;
      if (isRead) lastRead = (read as string | undefined) ?? null;
      history.push({
        client: number,
        kind,
        key,
        value,
        callAt,
        endAt,
        outcome,
        ...(kind === 'cas' ? { from: from ?? null } : {}),
        ...(isRead ? { read: lastRead } : {}),
      });
      if (answer?.status === 200) continue;
      at = nextPeer(peers, at, answer);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
  const running = Array.from({ length: count }, (_, number) => client(number));
  return {
    history,
    async stop() {
      isStopped = true;
      await Promise.all(running);
    },
  };
}

/** The one that was named as the leader, or else the next in the row. */
function nextPeer(peers: readonly Peer[], at: number, answer: Answer | undefined): number {
  const leader = answer?.body['leader'] as { address?: string } | string | undefined;
  const address = typeof leader === 'string' ? leader : leader?.address;
  const told = peers.findIndex((peer) => peer.address === address);
  return told >= 0 && told !== at ? told : (at + 1) % peers.length;
}

interface Wish {
  readonly kind: Operation['kind'];
  readonly key: string;
  readonly value: string;
  readonly from: string | null | undefined;
}

function ask(peer: Peer, { kind, key, value, from }: Wish): Promise<Answer | undefined> {
  const expected = typeof from === 'string' ? `&from=${from}` : '';
  const requests = {
    append: 'POST /apply',
    set: `POST /set?k=${key}&v=${value}`,
    get: `GET /get?k=${key}&mode=linearizable`,
    cas: `POST /cas?k=${key}${expected}&to=${value}`,
  };
  const body = kind === 'append' ? `item ${value}` : undefined;
  return peer.call(requests[kind], body, 6000).catch(() => undefined);
}

function outcomeOf(answer: Answer | undefined, kind: Operation['kind']): Operation['outcome'] {
  if (!answer) return kind === 'get' ? 'failed' : 'unknown';
  if (answer.status === 200) return answer.body['swapped'] === false ? 'failed' : 'done';
  // Refused before it went into the log; anything else leaves it open.
  const isRefused = [400, 404, 409, 421, 503].includes(answer.status);
  return isRefused || kind === 'get' ? 'failed' : 'unknown';
}

/** The verdict on each key, by the simulator's checker. */
export function judge(history: readonly Operation[]): Record<string, Verdict> {
  return Object.fromEntries(
    keys.map((key) => [
      key,
      checkRegister(history.filter((each) => each.key === key).flatMap((each) => callOf(each))),
    ]),
  );
}

function callOf(operation: Operation): readonly Call<RegisterOp<string>>[] {
  const { kind, value, from = null, read, outcome, callAt } = operation;
  const endAt = outcome === 'unknown' ? Infinity : operation.endAt;
  // A cas that did not swap was told what is there.
  if (read !== undefined) return [{ op: { kind: 'get', read }, callAt, endAt }];
  if (kind === 'append' || kind === 'get' || outcome === 'failed') return [];
  if (kind === 'set') return [{ op: { kind, value }, callAt, endAt }];
  const isSwapped = outcome === 'done' ? true : undefined;
  return [{ op: { kind, from, value, isSwapped }, callAt, endAt }];
}
