import { z } from 'zod';
import { OutcomeUnknownError, RaftRefusedError } from '../raft/driver/errors.ts';
import { CallError, type Call, type RpcClient } from '../rpc/index.ts';
import { CommandError, decodeCommand } from '../state/command.ts';
import type { Command, Result } from '../state/types.ts';
import type { Core, CoreDeps } from './core.ts';
import type { Offices } from './office.ts';
import type { Pulses } from './pulse.ts';
import { sightingShape, type Rumours } from './rumours.ts';

export interface CallsDeps {
  readonly nodeId: string;
  /** Tells this start of this node from all others. */
  readonly session: string;
  /** Asks whoever answers where a member was last known to be; undefined: nobody does. */
  readonly sessionAt: (nodeId: string) => Promise<string | undefined>;
  readonly offices: Offices;
  readonly pulses: Pick<Pulses, 'answer'>;
  /** Proposes as the leader. */
  readonly propose: (command: Command) => Promise<Result>;
  /** What the leader alone knows; see `readings.ts`. */
  readonly readings: () => unknown;
  /** The boot epoch a member was last seen with; undefined: never. */
  readonly epochOf: (nodeId: string) => { bootEpoch: number; session: string } | undefined;
  readonly isRetired: (nodeId: string) => boolean;
  /** What is heard of where members are, and what this node can tell of it. */
  readonly whereabouts: Pick<Rumours, 'hear' | 'tell'>;
  /** Further calls, by name. */
  readonly more?: Readonly<Record<string, Call>> | undefined;
  /** Signs for a member that has shown its certificate. */
  readonly sign: (nodeId: string, request: string) => Promise<string>;
}

/** What a member of either kind says from its core. */
export function answersOf(
  { self }: Pick<CoreDeps, 'self'>,
  { state, consensus, offices, pulses, doors }: Core,
) {
  return {
    ...{ nodeId: self.id, session: self.session, offices, pulses },
    sessionAt: (id) => askSession(doors.network()?.client, id),
    propose: (command) => consensus.propose(command),
    epochOf: (id) => state.view().members.get(id),
    isRetired: (id) => state.view().retired.has(id),
  } satisfies Partial<CallsDeps>;
}

const proposal = z.object({ command: z.base64().max(2_000_000) });
const renewal = z.object({ request: z.string().max(8192) });
const greeting = z.object({
  bootEpoch: z.number().int(),
  session: z.string().max(200),
  /** Where it is; absent: it says nothing of that. */
  at: sightingShape.optional(),
});

/** What members ask of each other. */
export function createCalls(deps: CallsDeps): Readonly<Record<string, Call>> {
  return {
    async propose(input, { from }) {
      const command = readProposal(input);
      if (!mayPropose(command, from)) {
        throw new CallError('forbidden', `a ${command.type} is not for ${from} to propose`);
      }
      if (!deps.offices.current()) throw notLeader();
      return proposeFor(deps, command);
    },
    async pulse(input, { from }) {
      const answer = await deps.pulses.answer(from, input);
      if (!answer) throw notLeader();
      return answer;
    },
    async leader() {
      const seat = await deps.offices.find(0);
      return { leader: seat && ('here' in seat ? deps.nodeId : seat.leader) };
    },
    session: async () => ({ session: deps.session }),
    async readings() {
      if (!deps.offices.current()) throw notLeader();
      return deps.readings();
    },
    async renew(input, { from }) {
      const { request } = renewal.parse(input);
      return { certificate: await deps.sign(from, request) };
    },
    async greet(input, { from }) {
      const { bootEpoch, session, at } = greeting.parse(input);
      const verdict = await verdictOn(deps, { from, bootEpoch, session });
      // Of itself a member may say anything; a copy of it is not believed.
      if (at?.id === from && verdict === 'welcome') deps.whereabouts.hear([at]);
      return { verdict, at: deps.whereabouts.tell() };
    },
    ...deps.more,
  };
}

const notLeader = () =>
  new CallError('not-leader', 'this node does not lead', { isRetryable: true });

function readProposal(input: unknown): Command {
  try {
    return decodeCommand(Buffer.from(proposal.parse(input).command, 'base64'));
  } catch (error) {
    if (!(error instanceof CommandError) && !(error instanceof z.ZodError)) throw error;
    throw new CallError('bad-request', `this is no command: ${error.message}`);
  }
}

/** A member speaks for itself; what changes the cluster comes as an operator's request instead. */
function mayPropose(command: Command, from: string): boolean {
  const { type } = command;
  if (type === 'invalidate' || type === 'events' || type === 'admit') return true;
  return type === 'announce' && command.member.id === from;
}

async function proposeFor({ propose }: CallsDeps, command: Command): Promise<Result> {
  try {
    return await propose(command);
  } catch (error) {
    if (error instanceof RaftRefusedError) {
      throw new CallError('not-leader', error.message, { isRetryable: true });
    }
    if (error instanceof OutcomeUnknownError) {
      throw new CallError('unknown', error.message, { isRetryable: true, isExecuted: 'unknown' });
    }
    throw error;
  }
}

/**
 * `copy`: a later start of this node is known, so this one is of a folder that was copied; `twice`:
 * an earlier start of it still answers, so one of the two is of a copy.
 */
export type Verdict = 'welcome' | 'copy' | 'twice' | 'retired';

async function verdictOn(
  { epochOf, isRetired, sessionAt }: CallsDeps,
  { from, bootEpoch, session }: { from: string; bootEpoch: number; session: string },
): Promise<Verdict> {
  if (isRetired(from)) return 'retired';
  const known = epochOf(from);
  if (!known) return 'welcome';
  if (bootEpoch === known.bootEpoch) return session === known.session ? 'welcome' : 'copy';
  if (bootEpoch < known.bootEpoch) return 'copy';
  // Two that vote in one name could elect two leaders.
  return (await sessionAt(from)) === known.session ? 'twice' : 'welcome';
}

const said = z.object({ session: z.string() });
/** Less than who greets waits for. */
const sessionMs = 1_000;

/** Asks at the address that the others know; who has moved is not there any more. */
export async function askSession(
  client: Pick<RpcClient, 'call'> | undefined,
  nodeId: string,
): Promise<string | undefined> {
  try {
    const answer = await client?.call(nodeId, 'session', {}, { timeoutMs: sessionMs });
    return said.parse(answer).session;
  } catch {
    return undefined; // nobody is there, or not in time: then it is no rival either
  }
}
