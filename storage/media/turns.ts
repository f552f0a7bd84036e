/**
 * What a thread and its owner tell each other while the thread works, in shared memory. The thread
 * says at which file it is and whether it computes or waits for a disk: only one that computes and
 * never ends may be ended here. One that waits in vain means that the mount hangs, which the parent
 * process finds out by itself when there is no answer.
 */

/** A thread that computes for so long without asking the disk for anything turns in circles. */
const patience = { stuckAfterMs: 5_000, lookMs: 1_000 };

// The words of the memory: whether the call is still wanted, how often the thread began or ended to
// compute (odd: it does), and at which file it is.
const [unwanted, turns, file] = [0, 1, 2];
const words = 3;

/** The thread's side. */
export interface Turns {
  readonly aborted: boolean;
  throwIfAborted(): void;
  /** From now on it is about the file in this place of the call. */
  at(place: number): void;
  /** It begins or ends to compute. */
  turn(): void;
}

export function takeTurns(shared: SharedArrayBuffer): Turns {
  const said = new Int32Array(shared);
  const isUnwanted = () => Atomics.load(said, unwanted) === 1;
  return {
    get aborted() {
      return isUnwanted();
    },
    throwIfAborted() {
      if (isUnwanted()) throw new DOMException('no longer wanted', 'AbortError');
    },
    at: (place) => void Atomics.store(said, file, place),
    turn: () => void Atomics.add(said, turns, 1),
  };
}

/** The owner's side; dispose it when the thread has answered. */
export interface Watched extends Disposable {
  readonly shared: SharedArrayBuffer;
  /** Aborted when the thread computes without end, or computes what nobody wants any more. */
  readonly stuck: AbortSignal;
  /** The place of the file it is at. */
  at(): number;
}

export function watchTurns(signal: AbortSignal, { stuckAfterMs, lookMs } = patience): Watched {
  const shared = new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT);
  const said = new Int32Array(shared);
  const stuck = new AbortController();
  const isComputing = () => Atomics.load(said, turns) % 2 === 1;
  let [last, quietMs] = [0, 0];
  const timer = setInterval(() => {
    const now = Atomics.load(said, turns);
    quietMs = isComputing() && now === last ? quietMs + lookMs : 0;
    last = now;
    if (quietMs >= stuckAfterMs) stuck.abort(new Error(`no end after ${stuckAfterMs} ms`));
  }, lookMs);
  const cancel = () => {
    Atomics.store(said, unwanted, 1);
    if (isComputing()) stuck.abort();
  };
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  return {
    shared,
    stuck: stuck.signal,
    at: () => Atomics.load(said, file),
    [Symbol.dispose]() {
      clearInterval(timer);
      signal.removeEventListener('abort', cancel);
    },
  };
}
