/**
 * A bounded amount of something, memory for example, which is given out first come, first served:
 * to owners in turns, so that who wants much at once does not go before all others.
 */
export interface Room {
  /** A place that has nothing yet, of the owner's share. */
  open(owner: string): Place;
  /** How much is taken. */
  taken(): number;
  /** How many wait. */
  waiting(): number;
}

/** Disposing of it gives all of it back. */
export interface Place extends Disposable {
  /**
   * Resolves to true once so much more is its; to false when too many of the owner's wait already,
   * or when it took too long. More than there ever is counts as all of it. Rejects with what
   * `signal` says.
   */
  grow(amount: number, signal: AbortSignal): Promise<boolean>;
}

export interface RoomOptions {
  readonly size: number;
  /** What one owner has of it at most; as much as there is unless stated. */
  readonly shareMax?: number;
  /** Of one owner. */
  readonly waitingMax: number;
  /** Milliseconds after which who waits is sent away; as long as it takes unless stated. */
  readonly waitMaxMs?: number;
}

interface Waiter {
  readonly amount: number;
  readonly letIn: () => void;
}

interface Owner {
  readonly name: string;
  taken: number;
  readonly waiting: Set<Waiter>;
}

/** Nobody is passed over: a small one does not go before a large one that waits for others. */
export function createRoom(options: RoomOptions): Room {
  const shareMax = Math.min(options.shareMax ?? options.size, options.size);
  const line = createLine({ ...options, shareMax });
  return {
    open(name) {
      let has = 0;
      return {
        async grow(wanted, signal) {
          signal.throwIfAborted();
          const amount = Math.min(wanted, shareMax - has);
          const isIn = await wait(line, { ...options, owner: line.ownerOf(name), amount, signal });
          if (isIn) has += amount;
          return isIn;
        },
        [Symbol.dispose]() {
          line.giveBack(name, has);
          has = 0;
        },
      };
    },
    taken: line.taken,
    waiting: line.waiting,
  };
}

interface Line {
  readonly ownerOf: (name: string) => Owner;
  /** Lets in who goes next, as far as there is room. */
  readonly admit: () => void;
  readonly giveBack: (name: string, amount: number) => void;
  readonly leave: (owner: Owner) => void;
  readonly taken: () => number;
  readonly waiting: () => number;
}

/** Who has something, and who waits. */
function createLine({
  size,
  shareMax,
}: {
  readonly size: number;
  readonly shareMax: number;
}): Line {
  /** By name, who had something last at the end. */
  const owners = new Map<string, Owner>();
  let taken = 0;
  const ownerOf = (name: string): Owner => {
    const owner = owners.get(name) ?? { name, taken: 0, waiting: new Set() };
    owners.set(name, owner);
    return owner;
  };
  const leave = (owner: Owner) => {
    const isIdle = owner.taken === 0 && owner.waiting.size === 0;
    if (isIdle && owners.get(owner.name) === owner) owners.delete(owner.name);
  };
  /** Undefined: nobody waits but for what is their own. */
  const next = () => {
    for (const owner of owners.values()) {
      const [waiter] = owner.waiting;
      if (waiter && owner.taken + waiter.amount <= shareMax) return { owner, waiter };
    }
    return undefined;
  };
  const admit = () => {
    for (let first = next(); first !== undefined; first = next()) {
      const { owner, waiter } = first;
      if (taken + waiter.amount > size) return;
      taken += waiter.amount;
      owner.taken += waiter.amount;
      owners.delete(owner.name);
      owners.set(owner.name, owner);
      waiter.letIn();
    }
  };
  const giveBack = (name: string, amount: number) => {
    const owner = ownerOf(name);
    taken -= amount;
    owner.taken -= amount;
    leave(owner);
    admit();
  };
  const waiting = () => [...owners.values()].reduce((sum, owner) => sum + owner.waiting.size, 0);
  return { ownerOf, admit, giveBack, leave, waiting, taken: () => taken };
}

interface Wish extends Pick<RoomOptions, 'waitingMax' | 'waitMaxMs'> {
  readonly owner: Owner;
  readonly amount: number;
  readonly signal: AbortSignal;
}

/** Resolves to whether it was let in. */
function wait(line: Line, wish: Wish): Promise<boolean> {
  const { owner, amount, signal, waitingMax, waitMaxMs } = wish;
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      clearTimeout(timer);
      owner.waiting.delete(waiter);
      signal.removeEventListener('abort', giveUp);
    };
    const go = () => {
      end();
      line.leave(owner);
      // Who goes may have stood before smaller ones.
      line.admit();
    };
    const giveUp = () => {
      go();
      reject(signal.reason as Error);
    };
    const sendAway = () => {
      go();
      resolve(false);
    };
    const letIn = () => {
      end();
      resolve(true);
    };
    const waiter = { amount, letIn };
    owner.waiting.add(waiter);
    signal.addEventListener('abort', giveUp, { once: true });
    line.admit();
    if (!owner.waiting.has(waiter)) return;
    if (owner.waiting.size > waitingMax) sendAway();
    else if (waitMaxMs !== undefined) timer = setTimeout(sendAway, waitMaxMs);
  });
}
