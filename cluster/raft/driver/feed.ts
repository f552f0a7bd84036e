import type { Entry, SnapshotMeta } from '../core/types.ts';
import type { SnapshotSource } from '../transport/types.ts';
import type { ToHost } from './messages.ts';
import type { Bytes, Store } from './ports.ts';

/** How much may be on its way to a state machine that has not said yet that it has it. */
const windowBytes = 8 * 1024 * 1024;
/** What goes in one message. */
const batchEntries = 4096;
const batchBytes = 1024 * 1024;

export interface FeedOptions {
  readonly store: Pick<Store, 'openSnapshot'>;
  readonly emit: (message: ToHost) => void;
  readonly onBroken: (error: Error) => void;
}

/** What the state machine is given: entries and snapshots, in order, no faster than it takes them. */
export function createFeed({ store, emit, onBroken }: FeedOptions) {
  const outbox: ({ entries: readonly Entry[] } | { snapshot: SnapshotMeta })[] = [];
  const unconfirmed: { index: number; bytes: number }[] = [];
  let bytesOut = 0;
  let stream: AsyncIterator<Uint8Array> | undefined;
  let source: Promise<SnapshotSource> | undefined;
  let restoring: SnapshotMeta | undefined;

  const sendEntries = (entries: readonly Entry[]) => {
    let bytes = 0;
    for (const entry of entries) bytes += bytesOf(entry);
    bytesOut += bytes;
    unconfirmed.push({ index: entries[entries.length - 1]?.index ?? 0, bytes });
    emit({
      type: 'apply',
      entries: entries.map(({ index, term, type, data }) => ({ index, term, type, data })),
    });
  };
  const pump = () => {
    while (!restoring && bytesOut < windowBytes) {
      const next = outbox.shift();
      if (!next) return;
      if ('entries' in next) {
        sendEntries(next.entries);
        continue;
      }
      restoring = next.snapshot;
      // Opened now: by the time the state machine asks for it, newer ones may have taken its place.
      source = store.openSnapshot(restoring);
      source.catch(onBroken);
      stream = read(source)[Symbol.asyncIterator]();
      emit({ type: 'restore', snapshot: restoring });
    }
  };
  return {
    apply(entries: readonly Entry[]) {
      for (let from = 0; from < entries.length;) {
        const to = endOfBatch(entries, from);
        outbox.push({ entries: entries.slice(from, to) });
        from = to;
      }
      pump();
    },
    /** It stands for all that has not been sent yet. */
    restore(snapshot: SnapshotMeta) {
      outbox.length = 0;
      outbox.push({ snapshot });
      pump();
    },
    /** The state machine is at this index. */
    confirmed(index: number) {
      if (restoring && index >= restoring.index) restoring = undefined;
      for (let first = unconfirmed[0]; first && first.index <= index; first = unconfirmed[0]) {
        bytesOut -= first.bytes;
        unconfirmed.shift();
      }
      pump();
    },
    /** The state machine wants the next piece of its snapshot. */
    more() {
      stream?.next().then(({ done, value }) => {
        if (done) stream = source = undefined;
        emit(done ? { type: 'restoreChunk' } : { type: 'restoreChunk', bytes: value });
      }, onBroken);
    },
    /** Nothing more is read. */
    async stop() {
      await (await source?.catch(() => undefined))?.close();
    },
  };
}

const bytesOf = ({ data }: Entry): number => data.length + 32;

function endOfBatch(entries: readonly Entry[], from: number): number {
  let bytes = 0;
  let to = from;
  while (to < entries.length && to - from < batchEntries) {
    bytes += bytesOf(entries[to]!);
    if (bytes > batchBytes && to > from) break;
    to += 1;
  }
  return to;
}

async function* read(opening: Promise<SnapshotSource>): Bytes {
  const source = await opening;
  try {
    yield* source.read(0);
  } finally {
    await source.close();
  }
}
