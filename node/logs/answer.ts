import { z } from 'zod';
import { CallError, RpcError, type Call, type RpcClient } from '#cluster/rpc/index.ts';
import { problem } from '#services/errors.ts';
import type { Log } from '#services/log.ts';
import { levels, type LogRing, type Question } from './ring.ts';

const limitMax = 200;
const question = z.object({
  level: z.enum(levels).optional(),
  module: z.string().max(200).optional(),
  text: z.string().max(200).optional(),
  before: z.number().int().optional(),
  after: z.number().int().optional(),
  limit: z.number().int().min(1).max(limitMax),
});
const line = z.object({
  id: z.number(),
  at: z.string(),
  level: z.enum(levels),
  module: z.string().optional(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()),
});
const told = z.object({
  lines: z.array(line).max(limitMax),
  hasMore: z.boolean(),
  modules: z.array(z.string()).max(1_000),
  /** What is less severe is not logged there. */
  level: z.enum(levels),
  since: z.string().optional(),
  dropped: z.number(),
});

/** What a member tells of its log. */
export type Told = z.infer<typeof told>;

export interface OwnLog {
  readonly ring: LogRing;
  readonly log: Pick<Log, 'level'>;
}

export function tell({ ring, log }: OwnLog, wanted: Question): Told {
  const { lines, hasMore } = ring.page(wanted);
  const level = levels.find((name) => name === log.level) ?? 'info';
  const [since, { dropped }] = [ring.since(), ring.stats()];
  return { lines: [...lines], hasMore, modules: [...ring.modules()], level, since, dropped };
}

/**
 * What other members ask of this one's log, for an administrator who asks them. A witness has no
 * administrators, so it is told nothing.
 */
export const logCalls = (
  own: OwnLog,
  isWitness: (nodeId: string) => boolean,
): Readonly<Record<string, Call>> => ({
  async log(input, { from }) {
    if (isWitness(from)) throw new CallError('nodes-only', 'a witness has nobody to tell');
    const wanted = question.safeParse(input);
    if (!wanted.success) throw new CallError('bad-request', 'this asks for no lines of a log');
    return tell(own, wanted.data);
  },
});

const askMs = 3_000;

/** @throws ProblemError `unprocessable` when that member does not tell */
export async function askLog(
  client: Pick<RpcClient, 'call'> | undefined,
  nodeId: string,
  wanted: Question,
): Promise<Told> {
  try {
    return told.parse(await client?.call(nodeId, 'log', wanted, { timeoutMs: askMs }));
  } catch (error) {
    // Not 503: another node would get no further, so nobody should go on to the next one.
    if (error instanceof RpcError && error.code === 'unknown-call') {
      const detail = `${nodeId} runs a release that does not show its log`;
      throw problem('unprocessable', detail, { cause: error });
    }
    if (!(error instanceof RpcError) && !(error instanceof z.ZodError)) throw error;
    throw problem('unprocessable', `${nodeId} does not answer`, { cause: error });
  }
}
