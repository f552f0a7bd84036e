import type { Configuration, SnapshotMeta } from '../core/types.ts';
import type { Refusal, ToHost } from './messages.ts';
import type { Recorder } from './metrics.ts';
import type { Log, SnapshotSink, Store } from './ports.ts';

export interface SnapshotPolicy {
  /** Looked at every [1, 2) × this. */
  readonly intervalMs: number;
  /** Entries applied since the last one that make another worth it. */
  readonly threshold: number;
  /** Bytes of them that make one due at once, whatever the interval. */
  readonly thresholdBytes: number;
}

export interface SnapshotterOptions {
  readonly store: Store;
  readonly policy: SnapshotPolicy;
  readonly random: () => number;
  readonly now: () => number;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly emit: (message: ToHost) => void;
  readonly onTaken: (snapshot: SnapshotMeta) => void;
  readonly onBroken: (error: Error) => void;
}

interface Taking {
  readonly token: number;
  readonly begun: number;
  /** Who asked for it. */
  readonly ids: number[];
  of: { readonly snapshot: SnapshotMeta; readonly sink: Promise<SnapshotSink> } | undefined;
  bytes: number;
}

interface State {
  readonly options: SnapshotterOptions;
  /** The configurations from the one of the latest snapshot on. */
  readonly known: { readonly configuration: Configuration; readonly index: number }[];
  taking: Taking | undefined;
  nextToken: number;
  last: number;
  applied: number;
  bytesSince: number;
  timer: NodeJS.Timeout | undefined;
}

/** When this node writes its state down, and how: the state machine's stream into the store. */
export function createSnapshotter(options: SnapshotterOptions) {
  const state: State = {
    options,
    known: [],
    taking: undefined,
    nextToken: 1,
    last: 0,
    applied: 0,
    bytesSince: 0,
    timer: undefined,
  };
  const { known } = state;
  return {
    start: () => arm(state),
    stop: () => clearTimeout(state.timer),
    take: (id: number) => take(state, [id]),
    configuration(configuration: Configuration, index: number) {
      while ((known[known.length - 1]?.index ?? -1) >= index) known.pop();
      known.push({ configuration, index });
      while (known[1] && known[1].index <= state.last) known.shift();
    },
    /** A snapshot from elsewhere, or from before this start, stands for everything up to here. */
    installed(snapshot: SnapshotMeta) {
      state.last = Math.max(state.last, snapshot.index);
    },
    applied(index: number) {
      state.applied = index;
    },
    appliedBytes(bytes: number) {
      state.bytesSince += bytes;
      if (state.bytesSince >= options.policy.thresholdBytes) take(state, []);
    },
    at(token: number, { index, term }: { readonly index: number; readonly term: number }) {
      if (state.taking?.token !== token) return;
      const found = known.findLast((each) => each.index <= index);
      if (!found || index <= state.last) return fail(state, 'nothing new to write down');
      const { configuration, index: configurationIndex } = found;
      const snapshot: SnapshotMeta = { index, term, configuration, configurationIndex };
      const sink = options.store.createSnapshot(snapshot);
      sink.catch(options.onBroken);
      state.taking.of = { snapshot, sink };
    },
    chunk(token: number, bytes: Uint8Array | undefined) {
      const { taking } = state;
      if (taking?.token !== token) return;
      // A disk that refuses a snapshot will refuse the log next: that is not a thing to go on from.
      put(state, taking, bytes).catch(options.onBroken);
    },
    failed(token: number, message: string) {
      if (state.taking?.token === token) fail(state, message);
    },
  };
}

function arm(state: State): void {
  const { policy, random } = state.options;
  const look = () => {
    if (state.applied - state.last >= policy.threshold) take(state, []);
    arm(state);
  };
  state.timer = setTimeout(look, policy.intervalMs * (1 + random()));
  state.timer.unref();
}

function take(state: State, ids: number[]): void {
  if (state.taking) return void state.taking.ids.push(...ids);
  const token = state.nextToken;
  state.nextToken += 1;
  state.taking = { token, begun: state.options.now(), ids, of: undefined, bytes: 0 };
  state.bytesSince = 0;
  state.options.emit({ type: 'takeSnapshot', token });
}

function fail(state: State, detail: string): void {
  const { taking } = state;
  if (!taking) return;
  state.taking = undefined;
  state.options.log.warn('no snapshot was taken', { reason: detail });
  const refusal: Refusal = { reason: 'snapshot-failed', detail };
  for (const id of taking.ids) state.options.emit({ type: 'failed', id, refusal });
  taking.of?.sink.then((sink) => sink.abort()).catch(() => undefined);
}

async function put(state: State, taking: Taking, bytes: Uint8Array | undefined): Promise<void> {
  const { log, recorder, emit, now, onTaken } = state.options;
  if (!taking.of) return fail(state, 'nothing new to write down');
  const { snapshot, sink } = taking.of;
  const open = await sink;
  if (bytes) {
    taking.bytes += bytes.length;
    await open.write(bytes);
    return emit({ type: 'wantChunk', token: taking.token });
  }
  await open.commit(taking.bytes);
  state.taking = undefined;
  const { index, term } = snapshot;
  // An installed snapshot may have come past it meanwhile.
  if (index > state.last) {
    await state.options.store.noteSnapshot(snapshot);
    state.last = Math.max(state.last, index);
    const ms = now() - taking.begun;
    recorder.time('raft_snapshot_create', ms);
    log.info('took a snapshot', { index, term, bytes: taking.bytes, ms: Math.round(ms) });
    onTaken(snapshot);
  }
  for (const id of taking.ids) emit({ type: 'done', id, index, term });
}
