import type { Outcome, Proposal } from '../core/types.ts';
import { createAdmission } from './admission.ts';
import { createFeed } from './feed.ts';
import type { EngineOptions, Loop } from './loop.ts';
import { emit, endTurn, input, nothing, post, refusal, step } from './loop.ts';
import type { Link, ToEngine, ToHost } from './messages.ts';
import { createRecorder } from './metrics.ts';
import { createReceiver } from './receiver.ts';
import { createSaver } from './saver.ts';
import { createSnapshotter } from './snapshotter.ts';

export type { EngineOptions } from './loop.ts';

export interface Engine extends Link {
  start(): Promise<void>;
}

/**
 * One loop around the core. Inputs are queued and worked on once per turn of the event loop; what a
 * turn gives to save is one write, and what it gives to the host leaves in order.
 */
export function createEngine(options: EngineOptions): Engine {
  const loop = createLoop(options);
  return {
    start: () => start(loop),
    post: (message) => post(loop, () => onHost(loop, message)),
    onMessage: (handler) => void (loop.deliver = handler),
    onEnd: (handler) => void (loop.onEnd = handler),
    close: () => end(loop, undefined),
  };
}

function createLoop(options: EngineOptions): Loop {
  const { store, log, now, raft } = options;
  const shared = {
    store,
    log,
    now,
    recorder: createRecorder(),
    emit: (message: ToHost) => emit(loop, message),
    onBroken(error: Error) {
      if (loop.hasEnded) return;
      log.error('Raft ends: the disk failed', { error: error.message });
      void end(loop, error);
    },
  };
  const loop: Loop = {
    options,
    recorder: shared.recorder,
    saver: createSaver({
      ...shared,
      // At once, not in the next turn: answers wait for it.
      onSaved(save) {
        if (loop.hasEnded) return;
        step(loop, { type: 'saved', save });
        endTurn(loop);
      },
    }),
    feed: createFeed(shared),
    snapshotter: createSnapshotter({
      ...shared,
      policy: options.snapshots,
      random: options.random,
      onTaken: (snapshot) => input(loop, { type: 'snapshotTaken', snapshot }),
    }),
    receiver: createReceiver({ ...shared, input: (what) => input(loop, what) }),
    admission: createAdmission({
      ...shared,
      propose: (proposals) => step(loop, { type: 'propose', proposals }).outcome ?? nothing,
      term: () => raft.status(now()).term,
      isBetweenLeaders: () => loop.isBetweenLeaders,
      refusal: (reason) => refusal(loop, reason),
      patienceMs: options.patienceMs,
    }),
    transferring: [],
    isBetweenLeaders: false,
    inputs: [],
    isScheduled: false,
    hasEnded: false,
    timer: undefined,
    timerAt: Infinity,
    supervision: undefined,
    heardAt: now(),
    wasHostSilent: false,
    deliver: () => undefined,
    onEnd: () => undefined,
  };
  return loop;
}

async function start(loop: Loop): Promise<void> {
  const { transport, hostTimeoutMs, now } = loop.options;
  begin(loop);
  const { receiver, recorder } = loop;
  await transport.listen((request, body, rest) => {
    recorder.request(request);
    return receiver.handle(request, body, rest);
  }, receiver.kept);
  if (hostTimeoutMs > 0) {
    loop.heardAt = now();
    loop.supervision = setInterval(supervise, hostTimeoutMs / 4, loop);
  }
  loop.snapshotter.start();
  input(loop, { type: 'tick' });
}

/** What the disk already holds: the state machine starts from the snapshot. */
function begin(loop: Loop): void {
  const { snapshotter, feed } = loop;
  const { store, raft, now } = loop.options;
  const { snapshot, entries } = store.boot;
  if (snapshot) {
    snapshotter.configuration(snapshot.configuration, snapshot.configurationIndex);
    snapshotter.installed(snapshot);
    feed.restore(snapshot);
  }
  for (const { index, configuration } of entries) {
    if (configuration) snapshotter.configuration(configuration, index);
  }
  const { configuration, configurationIndex: index, ...known } = raft.status(now());
  const isCommitted = known.isConfigurationCommitted;
  emit(loop, { type: 'configuration', change: { configuration, index, isCommitted } });
}

function onHost(loop: Loop, message: ToEngine): void {
  const { recorder, snapshotter } = loop;
  loop.heardAt = loop.options.now();
  switch (message.type) {
    case 'propose': {
      recorder.count('raft_apply', message.data.length);
      const appendedAt = Date.now();
      const proposals = message.data.map((data): Proposal => ({
        type: 'command',
        data,
        appendedAt,
      }));
      return loop.admission.add(proposals, message.term);
    }
    case 'barrier':
      recorder.count('raft_barrier');
      return loop.admission.add([{ type: 'barrier', data: new Uint8Array() }], undefined);
    case 'change':
      return placed(
        loop,
        message.id,
        step(loop, { type: 'change', change: message.change }).outcome,
      );
    case 'read':
      recorder.count('raft_verify_leader');
      return void step(loop, { type: 'read', id: message.id, mode: message.mode });
    case 'transfer':
      return transfer(loop, message);
    case 'stepDown':
      return void step(loop, { type: 'stepDown' });
    case 'status':
      return status(loop, message.id);
    case 'book':
      return loop.options.transport.setBook(message.addresses);
    case 'refuse':
      return loop.options.transport.refuse(message.ids);
    case 'reloadTls':
      return reloadTls(loop, message.id);
    case 'applied':
      recorder.gauge('raft_appliedIndex', message.index);
      snapshotter.applied(message.index);
      return loop.feed.confirmed(message.index);
    case 'snapshot':
      return snapshotter.take(message.id);
    case 'snapshotAt':
      return snapshotter.at(message.token, message);
    case 'chunk':
      return snapshotter.chunk(message.token, message.bytes);
    case 'snapshotFailed':
      return snapshotter.failed(message.token, message.message);
    case 'restoreMore':
      return loop.feed.more();
    case 'pong':
      return;
  }
}

function placed(loop: Loop, id: number, outcome: Outcome = nothing): void {
  if (outcome.isAccepted)
    emit(loop, { type: 'done', id, index: outcome.index, term: outcome.term });
  else emit(loop, { type: 'failed', id, refusal: refusal(loop, outcome.reason, outcome.detail) });
}

function transfer(loop: Loop, { id, to }: { readonly id: number; readonly to?: string }): void {
  loop.transferring.push(id);
  const { outcome } = step(loop, { type: 'transfer', ...(to === undefined ? {} : { to }) });
  if (outcome?.isAccepted !== false) return;
  loop.transferring.splice(loop.transferring.indexOf(id), 1);
  placed(loop, id, outcome);
}

function status(loop: Loop, id: number): void {
  const current = loop.options.raft.status(loop.options.now());
  emit(loop, { type: 'status', id, status: { ...current, metrics: loop.recorder.read(current) } });
}

/** A failure changes nothing: those from before are still good, or soon will be missed. */
function reloadTls(loop: Loop, id: number): void {
  const { transport, log } = loop.options;
  transport.reloadTls().then(
    () => {
      log.info('uses renewed certificates');
      emit(loop, { type: 'done', id, index: 0, term: 0 });
    },
    (error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      log.error('the renewed certificates cannot be used', { reason: detail });
      emit(loop, { type: 'failed', id, refusal: refusal(loop, 'bad-certificates', detail) });
    },
  );
}

/**
 * A host that says nothing cannot apply or answer: somebody else had better lead. Two looks in a
 * row must find it silent: after a pause of this process its words may only not be read yet. Who
 * is told to lead does so without waiting for an election; if nobody does by the next look, the
 * others elect.
 */
function supervise(loop: Loop): void {
  const { raft, now, log, hostTimeoutMs } = loop.options;
  const silentMs = now() - loop.heardAt;
  emit(loop, { type: 'ping' });
  const isSilent = silentMs >= hostTimeoutMs;
  const isGone = isSilent && loop.wasHostSilent;
  loop.wasHostSilent = isSilent;
  const { role, isTransferring } = raft.status(now());
  if (!isGone || role !== 'leader') return;
  log.warn('gives leadership up: its host no longer answers', { silentMs: Math.round(silentMs) });
  post(loop, () => {
    const outcome = isTransferring ? undefined : step(loop, { type: 'transfer' }).outcome;
    if (outcome?.isAccepted !== true) step(loop, { type: 'stepDown' });
  });
}

async function end(loop: Loop, error: Error | undefined): Promise<void> {
  if (loop.hasEnded) return;
  loop.hasEnded = true;
  clearTimeout(loop.timer);
  clearInterval(loop.supervision);
  loop.snapshotter.stop();
  loop.receiver.stop();
  const { transport, store } = loop.options;
  await transport.close().catch(() => undefined);
  await loop.feed.stop().catch(() => undefined);
  if (!error) await loop.saver.idle();
  await store.close().catch(() => undefined);
  loop.onEnd(error);
}
