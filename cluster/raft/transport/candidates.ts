import { SendError, type Timeouts } from './types.ts';

/** The addresses of one server: which of them is dialed next, and from when on. */
export interface Candidates {
  /** @throws SendError while it is too early for another attempt */
  next(now: number): string;
  /** Somebody was reached there: it stays the one to dial. */
  works(address: string): void;
  /** Nobody was, or somebody else: the following one is next; after the last there is a wait. */
  fails(address: string, now: number): void;
  /** False: they are the same as before. */
  replace(addresses: readonly string[]): boolean;
  isAlone(): boolean;
  /** Some have been tried in vain, and others not yet. */
  isHalfway(): boolean;
}

type Pace = Pick<Timeouts, 'backoffMs' | 'maxBackoffMs'>;

export function createCandidates(first: readonly string[], pace: Pace): Candidates {
  let addresses = first;
  let at = 0;
  /** In the round under way, and rounds in which nobody was reached. */
  let tried = 0;
  let rounds = 0;
  let notBefore = 0;
  let isWorking = false;

  const reset = () => {
    tried = 0;
    rounds = 0;
    notBefore = 0;
  };

  return {
    next(now) {
      if (now < notBefore) {
        throw new SendError('unreachable', 'waiting before the next attempt to connect');
      }
      return addresses[at]!;
    },
    works(address) {
      if (addresses[at] !== address) return;
      isWorking = true;
      reset();
    },
    fails(address, now) {
      // Several connections may have been tried at once: the others have already moved on.
      if (addresses[at] !== address) return;
      isWorking = false;
      at = (at + 1) % addresses.length;
      tried += 1;
      if (tried < addresses.length) return;
      tried = 0;
      notBefore = now + Math.min(pace.backoffMs * 2 ** rounds, pace.maxBackoffMs);
      rounds = Math.min(rounds + 1, 20);
    },
    replace(wanted) {
      if (isSame(addresses, wanted)) return false;
      const kept = isWorking ? wanted.indexOf(addresses[at]!) : -1;
      addresses = wanted;
      at = Math.max(kept, 0);
      isWorking = kept >= 0;
      reset();
      return true;
    },
    isAlone: () => addresses.length === 1,
    isHalfway: () => tried > 0,
  };
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((address, i) => address === b[i]));
