import type { Call, RegisterOp, Verdict } from '../linearizable.ts';
import { checkRegister } from '../linearizable.ts';
import type { Answer, Peer } from './cluster.ts';
import { pause } from './cluster.ts';

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

const kinds = ['append', 'set', 'get', 'cas'] as const;
const keys = ['a', 'b', 'c'];
/** Operations after which other keys are used, so that no history is too long to be searched. */
const epochLength = 600;
/** Shorter than an outage, so that somebody notices who leads meanwhile. */
const patienceMs = 400;
/** Between operations, so that the log is no longer than the faults are many. */
const restMs = 5;

/** Clients that each do one thing after the other, at whichever peer they believe leads. */
export function startClients(peers: readonly Peer[], count: number): Clients {
  const history: Operation[] = [];
  let isStopped = false;
  let serial = 0;
  const keyOf = (turn: number) =>
    `${keys[turn % keys.length] ?? 'a'}${Math.floor(history.length / epochLength)}`;

  async function client(number: number): Promise<void> {
    let at = number % peers.length;
    let last: { key: string; read: string | null } | undefined;
    for (let turn = 0; !isStopped; turn += 1) {
      const peer = peers[at];
      if (!peer) return;
      const wish = kinds[(turn + number) % kinds.length] ?? 'get';
      const kind = wish === 'cas' && !last ? 'get' : wish;
      const key = kind === 'cas' && last ? last.key : keyOf(turn + number);
      const value = `${number}.${(serial += 1)}`;
      const from = kind === 'cas' ? (last?.read ?? null) : undefined;
      const callAt = performance.now();
      const answer = await ask(peer, { kind, key, value, from });
      const endAt = performance.now();
      const outcome = outcomeOf(answer, kind);
      const read = answer?.status === 200 ? (answer.body['value'] as string | null) : undefined;
      const seen = read === undefined ? {} : { read };
      history.push({
        ...{ client: number, kind, key, value, callAt, endAt, outcome },
        ...(from === undefined ? {} : { from }),
        ...seen,
      });
      last = read === undefined ? undefined : { key, read };
      if (answer?.status !== 200) at = nextPeer(peers, at, answer);
      await pause(answer?.status === 200 ? restMs : 30);
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
  return peer.call(requests[kind], body, patienceMs).catch(() => undefined);
}

function outcomeOf(answer: Answer | undefined, kind: Operation['kind']): Operation['outcome'] {
  if (!answer) return kind === 'get' ? 'failed' : 'unknown';
  if (answer.status === 200) return answer.body['swapped'] === false ? 'failed' : 'done';
  // Refused before it went into the log; anything else leaves it open.
  const isRefused = [400, 404, 409, 421, 503].includes(answer.status);
  return isRefused || kind === 'get' ? 'failed' : 'unknown';
}

/** What the simulator's checker says of each register, by the kind of its verdict. */
export function judge(history: readonly Operation[]): Partial<Record<Verdict, string[]>> {
  const verdicts: Partial<Record<Verdict, string[]>> = {};
  for (const [key, operations] of Map.groupBy(history, (each) => each.key)) {
    const verdict = checkRegister(operations.flatMap((each) => callOf(each)));
    (verdicts[verdict] ??= []).push(key);
  }
  return verdicts;
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
