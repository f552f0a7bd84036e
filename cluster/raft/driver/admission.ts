import type { Outcome, Proposal } from '../core/types.ts';
import type { Refusal, ToHost } from './messages.ts';

/** What may wait for room, or for the end of a transfer, before callers are turned away. */
const maxWaiting = 65_536;
const maxWaitingBytes = 64 * 1024 * 1024;
/** One step's worth, so that one refusal for want of room does not meet a whole backlog. */
const maxStep = 1024;

export interface AdmissionOptions {
  readonly propose: (proposals: readonly Proposal[]) => Outcome;
  readonly term: () => number;
  readonly emit: (message: ToHost) => void;
  /** Leadership was handed over and the heir is not known yet: what waits is about to be sent there. */
  readonly isBetweenLeaders: () => boolean;
  readonly refusal: (reason: Refusal['reason']) => Refusal;
  readonly now: () => number;
  /** The longest that a proposal waits before it is refused. */
  readonly patienceMs: number;
}

interface Waiting {
  readonly proposal: Proposal;
  /** Only to be proposed in this term. */
  readonly term: number | undefined;
  readonly since: number;
}

/** Proposals on their way into the core, in order: those of a turn in one step. */
export function createAdmission(options: AdmissionOptions) {
  const { emit, refusal, now } = options;
  let waiting: Waiting[] = [];
  let bytes = 0;

  const take = (count: number): void => {
    for (let nth = 0; nth < count; nth += 1) bytes -= waiting[nth]?.proposal.data.length ?? 0;
    waiting = count === waiting.length ? [] : waiting.slice(count);
  };
  const refuse = (count: number, reason: Refusal['reason']) => {
    take(count);
    emit({ type: 'refused', count, refusal: refusal(reason) });
  };
  /** The proposals at the front that go in one step: as many as are alike. */
  const front = (): Proposal[] => {
    const step: Proposal[] = [];
    const term = waiting[0]?.term;
    for (const each of waiting) {
      if (step.length === maxStep || each.term !== term) break;
      step.push(each.proposal);
    }
    return step;
  };
  /** What cannot go yet stays while there is patience and room. */
  const hold = (): void => {
    if (waiting.length > maxWaiting || bytes > maxWaitingBytes)
      return refuse(waiting.length, 'busy');
    const limit = now() - options.patienceMs;
    const fresh = waiting.findIndex(({ since }) => since >= limit);
    if (fresh !== 0) refuse(fresh < 0 ? waiting.length : fresh, 'busy');
  };

  return {
    size: () => waiting.length,
    add(proposals: readonly Proposal[], term: number | undefined) {
      const since = now();
      for (const proposal of proposals) {
        waiting.push({ proposal, term, since });
        bytes += proposal.data.length;
      }
    },
    /** Once a turn. */
    flush() {
      while (waiting.length > 0) {
        const step = front();
        const term = waiting[0]?.term;
        if (term !== undefined && term !== options.term()) {
          refuse(step.length, 'term-changed');
          continue;
        }
        const outcome = options.propose(step);
        if (outcome.isAccepted) {
          take(step.length);
          emit({ type: 'accepted', count: step.length, index: outcome.index, term: outcome.term });
          continue;
        }
        const { reason } = outcome;
        if (reason === 'not-leader' && options.isBetweenLeaders()) return hold();
        if (reason === 'transfer-in-progress' || reason === 'too-much-uncommitted') return hold();
        refuse(step.length, reason);
      }
    },
  };
}
