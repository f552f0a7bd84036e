import type {
  Effects,
  Entry,
  Input,
  Outcome,
  Raft,
  ReadResult,
  Send,
  SnapshotMeta,
} from '../core/types.ts';
import type { createAdmission } from './admission.ts';
import type { createFeed } from './feed.ts';
import type { Refusal, ToHost } from './messages.ts';
import type { Recorder } from './metrics.ts';
import type { Log, SendFailure, Store, Transport } from './ports.ts';
import type { createReceiver } from './receiver.ts';
import type { createSaver } from './saver.ts';
import type { SnapshotPolicy, createSnapshotter } from './snapshotter.ts';

export interface EngineOptions {
  readonly raft: Raft;
  readonly store: Store;
  readonly transport: Transport;
  readonly log: Log;
  /** Monotonic, in milliseconds; the one the core was made with. */
  readonly now: () => number;
  readonly random: () => number;
  readonly snapshots: SnapshotPolicy;
  /** How long a proposal may wait for the end of a transfer, or for room. */
  readonly patienceMs: number;
  /** Leadership is given up when the host says nothing for this long; 0: it is in this process. */
  readonly hostTimeoutMs: number;
}

/** The running engine: what it was made of, and where its loop stands. */
export interface Loop {
  readonly options: EngineOptions;
  readonly recorder: Recorder;
  readonly saver: ReturnType<typeof createSaver>;
  readonly feed: ReturnType<typeof createFeed>;
  readonly snapshotter: ReturnType<typeof createSnapshotter>;
  readonly receiver: ReturnType<typeof createReceiver>;
  readonly admission: ReturnType<typeof createAdmission>;
  readonly transferring: number[];
  /** Leadership was handed over, and nothing was heard of the heir yet. */
  isBetweenLeaders: boolean;
  inputs: (() => void)[];
  isScheduled: boolean;
  hasEnded: boolean;
  timer: NodeJS.Timeout | undefined;
  timerAt: number;
  supervision: NodeJS.Timeout | undefined;
  /** When the host last said anything, and whether that was long ago at the last look. */
  heardAt: number;
  wasHostSilent: boolean;
  deliver: (message: ToHost) => void;
  onEnd: (error: Error | undefined) => void;
}

export function emit(loop: Loop, message: ToHost): void {
  if (!loop.hasEnded) loop.deliver(message);
}

/** Work for the next turn of the event loop. */
export function post(loop: Loop, work: () => void): void {
  if (loop.hasEnded) return;
  loop.inputs.push(work);
  if (loop.isScheduled) return;
  loop.isScheduled = true;
  setImmediate(turn, loop);
}

export const input = (loop: Loop, what: Input): void => post(loop, () => void step(loop, what));

function turn(loop: Loop): void {
  loop.isScheduled = false;
  const works = loop.inputs;
  loop.inputs = [];
  for (const work of works) if (!loop.hasEnded) work();
  if (!loop.hasEnded) endTurn(loop);
}

export function endTurn(loop: Loop): void {
  if (loop.admission.size() > 0) loop.admission.flush();
  loop.saver.flush();
  arm(loop);
}

/** The timer is only moved when it would be late; an early one looks again. */
function arm(loop: Loop): void {
  const { raft, now } = loop.options;
  const at = raft.deadline();
  if (at >= loop.timerAt) return;
  clearTimeout(loop.timer);
  loop.timerAt = at;
  const waitMs = Math.max(1, Math.min(at - now(), 60_000));
  loop.timer = setTimeout(() => {
    loop.timerAt = Infinity;
    const lateMs = now() - raft.deadline();
    if (lateMs < 0) return arm(loop);
    // How late heartbeats and elections are because this process had no time for them.
    loop.recorder.sample('raft_timer_late', lateMs);
    input(loop, { type: 'tick' });
  }, waitMs);
}

export function refusal(loop: Loop, reason: Refusal['reason'], detail?: string): Refusal {
  const { leader } = loop.options.raft.status(loop.options.now());
  return { reason, ...(detail === undefined ? {} : { detail }), ...(leader ? { leader } : {}) };
}

/** One input into the core, and what comes out carried away: save, send, replies, apply. */
export function step(loop: Loop, what: Input): Effects {
  const { options, recorder, receiver, feed } = loop;
  const effects = options.raft.step(what, options.now());
  recorder.effects(effects);
  if (effects.save) loop.saver.add(effects.save);
  for (const each of effects.send) send(loop, each);
  for (const { token, response } of effects.replies) receiver.reply(token, response);
  if (effects.receive) receiver.receive(effects.receive);
  if (effects.restore) {
    loop.snapshotter.installed(effects.restore);
    feed.restore(effects.restore);
  }
  report(loop, effects);
  apply(loop, effects.apply);
  for (const read of effects.reads) answerRead(loop, read);
  if (effects.transfer) endTransfers(loop, effects.transfer);
  return effects;
}

function apply(loop: Loop, entries: readonly Entry[]): void {
  const last = entries[entries.length - 1];
  if (!last) return;
  loop.options.store.hintCommit(last.index);
  loop.feed.apply(entries);
  let bytes = 0;
  for (const { data } of entries) bytes += data.length;
  loop.snapshotter.appliedBytes(bytes);
}

function answerRead(loop: Loop, read: ReadResult): void {
  const { raft, now } = loop.options;
  const { id } = read;
  if ('refused' in read) emit(loop, { type: 'failed', id, refusal: refusal(loop, read.refused) });
  else emit(loop, { type: 'done', id, index: read.index, term: raft.status(now()).term });
}

function report(loop: Loop, effects: Effects): void {
  const { log } = loop.options;
  if (effects.transfer) loop.isBetweenLeaders = effects.transfer === 'done';
  for (const { role, term, leader, because } of effects.roles) {
    log.info(`is ${role}`, { term, leader: leader?.id ?? leader?.address, because });
    emit(loop, { type: 'role', role, term, leader });
    if (leader || role === 'candidate') loop.isBetweenLeaders = false;
  }
  for (const change of effects.configurations) {
    const { configuration, index, isCommitted } = change;
    loop.snapshotter.configuration(configuration, index);
    log.info(isCommitted ? 'members are committed' : 'members change', {
      index,
      members: configuration.servers.map(
        ({ id, address, suffrage }) => `${id}=${address}${suffrage === 'voter' ? '' : ' nonvoter'}`,
      ),
    });
    emit(loop, { type: 'configuration', change });
  }
}

function endTransfers(loop: Loop, result: NonNullable<Effects['transfer']>): void {
  for (const id of loop.transferring.splice(0)) {
    if (result === 'done') emit(loop, { type: 'done', id, index: 0, term: 0 });
    else emit(loop, { type: 'failed', id, refusal: refusal(loop, result) });
  }
}

function send(loop: Loop, { to, address, request }: Send): void {
  const { transport, now } = loop.options;
  const begun = now();
  const going =
    request.kind === 'install'
      ? openSnapshot(loop, to, request.snapshot).then((source) =>
          transport.send({ to, address, request: { ...request, size: source.size }, source }),
        )
      : transport.send({ to, address, request });
  going.then(
    (response) => {
      loop.recorder.time(timed[request.kind], now() - begun);
      input(loop, { type: 'answer', from: to, request, response });
    },
    (error: Partial<SendFailure>) => {
      loop.recorder.count('raft_transport_failed');
      input(loop, { type: 'failed', to, request, reason: error.reason ?? 'error' });
    },
  );
}

const timed = {
  append: 'raft_replication_append',
  vote: 'raft_candidate_vote',
  preVote: 'raft_candidate_preVote',
  install: 'raft_replication_install',
  timeoutNow: 'raft_leader_timeoutNow',
} as const;

async function openSnapshot(loop: Loop, to: string, snapshot: SnapshotMeta) {
  const source = await loop.options.store.openSnapshot(snapshot);
  loop.options.log.info('sends a snapshot', { to, index: snapshot.index, bytes: source.size });
  return source;
}

export const nothing: Outcome = { isAccepted: false, reason: 'not-leader' };
