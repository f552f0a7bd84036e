import type { ToEngine } from './messages.ts';
import type { Applied, Bytes, StateMachine } from './ports.ts';

export interface MachineOptions {
  readonly machine: StateMachine;
  /** Up to where it has applied this log already, under an engine before this one. */
  readonly from?: number | undefined;
  readonly post: (message: ToEngine) => void;
  readonly onApplied: (entries: readonly Applied[], results: readonly unknown[]) => void;
  readonly onRestored: (index: number) => void;
  /** The state machine failed: nothing can go on from there. */
  readonly onBroken: (error: Error) => void;
}

export interface MachineRunner {
  apply(entries: readonly Applied[]): void;
  restore(at: { readonly index: number; readonly term: number }): void;
  restoreChunk(bytes: Uint8Array | undefined): void;
  takeSnapshot(token: number): void;
  wantChunk(token: number): void;
  applied(): number;
}

/** The state machine at work: one thing after the other, at once where it answers at once. */
export function createMachineRunner(options: MachineOptions): MachineRunner {
  const { machine, post } = options;
  const incoming = createIncoming(() => post({ type: 'restoreMore' }));
  const outgoing = new Map<number, AsyncIterator<Uint8Array>>();
  const enqueue = createSequence((error) =>
    options.onBroken(error instanceof Error ? error : new Error(String(error))),
  );
  // What is committed never changes: what the machine has of it, it need not be given again.
  const has = options.from ?? -1;
  let at = { index: 0, term: 0 };

  const finish = (entries: readonly Applied[], results: readonly unknown[]) => {
    const last = entries[entries.length - 1];
    if (!last) return;
    at = { index: last.index, term: last.term };
    options.onApplied(entries, results);
    post({ type: 'applied', ...at });
  };
  async function sendChunk(token: number): Promise<void> {
    const stream = outgoing.get(token);
    if (!stream) return;
    try {
      const next = await stream.next();
      if (next.done) outgoing.delete(token);
      post(next.done ? { type: 'chunk', token } : { type: 'chunk', token, bytes: next.value });
    } catch (error) {
      outgoing.delete(token);
      post({ type: 'snapshotFailed', token, message: String(error) });
    }
  }
  return {
    applied: () => at.index,
    apply: (entries) =>
      enqueue(() => {
        const first = entries.findIndex(({ index }) => index > has);
        const seen = first < 0 ? entries.length : first;
        if (seen > 0) finish(entries.slice(0, seen), []);
        const unseen = seen > 0 ? entries.slice(seen) : entries;
        if (unseen.length === 0) return;
        const results = machine.apply(unseen);
        if (!(results instanceof Promise)) return finish(unseen, results);
        return results.then((late) => finish(unseen, late));
      }),
    restore(snapshot) {
      incoming.begin();
      enqueue(async () => {
        if (snapshot.index > has) await machine.restore(incoming.stream());
        else for await (const bytes of incoming.stream()) void bytes;
        at = { index: snapshot.index, term: snapshot.term };
        options.onRestored(at.index);
        post({ type: 'applied', ...at });
      });
    },
    restoreChunk: (bytes) => incoming.push(bytes),
    takeSnapshot: (token) =>
      enqueue(() => {
        if (at.index < has) {
          // The machine is ahead of the entry its snapshot would be named after.
          post({ type: 'snapshotFailed', token, message: 'this log is still read again' });
          return;
        }
        outgoing.clear();
        outgoing.set(token, machine.snapshot()[Symbol.asyncIterator]());
        post({ type: 'snapshotAt', token, ...at });
        void sendChunk(token);
      }),
    wantChunk: (token) => void sendChunk(token),
  };
}

/** Runs tasks one after the other, at once where nothing is before them; stops at the first error. */
function createSequence(onBroken: (error: unknown) => void) {
  const tasks: (() => void | Promise<void>)[] = [];
  let isStopped = false;
  const broken = (error: unknown) => {
    isStopped = true;
    onBroken(error);
  };
  const run = () => {
    while (!isStopped) {
      const task = tasks.shift();
      if (!task) return;
      try {
        const working = task();
        if (!working) continue;
        isStopped = true;
        working.then(() => {
          isStopped = false;
          run();
        }, broken);
      } catch (error) {
        broken(error);
      }
    }
  };
  return (task: () => void | Promise<void>) => {
    tasks.push(task);
    run();
  };
}

/** The pieces of a snapshot that come by message, as a stream; asks for the next when one is read. */
function createIncoming(more: () => void) {
  let pieces: (Uint8Array | undefined)[] = [];
  let wake: (() => void) | undefined;
  return {
    begin() {
      pieces = [];
    },
    push(bytes: Uint8Array | undefined) {
      pieces.push(bytes);
      wake?.();
    },
    async *stream(): Bytes {
      more();
      for (;;) {
        while (pieces.length === 0) {
          await new Promise<void>((resolve) => (wake = resolve));
          wake = undefined;
        }
        const piece = pieces.shift();
        if (!piece) return;
        yield piece;
        more();
      }
    },
  };
}
