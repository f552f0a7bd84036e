import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../raft/driver/ports.ts';
import type { Announcement, View } from '../state/types.ts';
import { BarredError } from './barred.ts';
import { UnannouncedError, type Proposer } from './announce.ts';

export interface SelfDeps {
  /** What this node says of itself now. */
  readonly tell: () => Announcement;
  readonly view: () => View;
  readonly propose: Proposer;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** After each announcement that was accepted. */
  readonly onAnnounced: (member: Announcement) => void;
  /** This node may not take part; it has to end, and its operator to act. */
  readonly onBarred: (error: BarredError) => void;
}

export interface Self {
  /** Announces what is not known yet; resolves when that is done, or was not possible now. */
  look(): Promise<void>;
  start(): void;
  close(): void;
}

const everyMs = 1_000;
const patienceMs = 5_000;

/** Keeps what the cluster knows of this node as it is: after each start, and when it has moved. */
export function createSelf(deps: SelfDeps): Self {
  const { tell, view, propose, log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  const see = async () => {
    const member = tell();
    if (view().clusterId === undefined || isKnown(view(), member)) return;
    try {
      const result = await propose({ type: 'announce', member, at: deps.now() }, patienceMs);
      if (result.isDone) return deps.onAnnounced(member);
      if (result.why === 'retired' || result.why === 'restored-copy') {
        return deps.onBarred(new BarredError(result.why));
      }
      log.warn('this node is not taken for a member', { why: result.why });
    } catch (error) {
      if (!(error instanceof UnannouncedError)) throw error;
      log.warn('the cluster does not know yet where this node is: there is no leader');
    }
  };
  const look = () => (looking ??= see().finally(() => (looking = undefined)));
  return {
    look,
    start() {
      timer = setInterval(() => void look(), everyMs);
      timer.unref();
    },
    close: () => clearInterval(timer),
  };
}

function isKnown({ members }: View, member: Announcement): boolean {
  const known = members.get(member.id);
  if (!known) return false;
  const said = Object.fromEntries(Object.keys(member).map((key) => [key, known[key as never]]));
  return isDeepStrictEqual(said, { ...member });
}
