import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mergeTopics, readTopics, type Spec } from '#api/spec.ts';
import { createIndexWaiters } from '#cluster/index-waiters.ts';
import type { ClusterState } from '#cluster/state/state.ts';
import { problem } from '#services/errors.ts';
import type { Log } from '#services/log.ts';
import type { Authenticate, Principal } from '#services/principal.ts';
import type { Config } from '../config/keys.ts';
import type { Health } from '../health.ts';
import { createApp } from '../http/app.ts';
import { listen, type Listening } from '../http/listen.ts';
import { createProbes } from '../operations.ts';
import type { ClusterControl } from './control.ts';
import { createClusterHandlers } from './operations.ts';

export interface WitnessApiDeps {
  readonly config: Config;
  readonly state: ClusterState;
  readonly control: ClusterControl;
  readonly health: Health;
  readonly version: string;
  readonly log: Log;
  readonly now: () => number;
}

export interface WitnessApi extends Listening {
  /** Lets who can read the data folder ask about the cluster; good for this start. */
  readonly operatorToken: string;
}

/** The part of the API that a witness has. */
const topics: readonly string[] = ['cluster', 'components', 'health'];

/** Serves health, and the cluster's status to its operator. Rejects when the port is taken. */
export async function startWitnessApi(deps: WitnessApiDeps): Promise<WitnessApi> {
  const { config, state, control, health, log, now } = deps;
  const operatorToken = `op_${randomBytes(32).toString('base64url')}`;
  const waiters = createIndexWaiters(() => state.view().index);
  state.onApplied(waiters.applied);
  const app = createApp(
    {
      spec: specOf(deps.version),
      handlers: { ...createProbes(health), ...createClusterHandlers(control) },
      authenticate: authenticateBy(operatorToken),
      clock: { applied: () => state.view().index, waitFor: waiters.waitFor },
      isStopping: health.isStopping,
      ...{ log, now },
    },
    { trustProxy: config['server.trust_proxy'] },
  );
  const where = { host: config['server.host'], port: config['server.port'] };
  const listening = await listen(app, where);
  const close = async () => {
    await listening.close();
    await app[Symbol.asyncDispose]();
  };
  return { ...listening, operatorToken, close, [Symbol.asyncDispose]: close };
}

const specOf = (version: string): Spec =>
  mergeTopics(
    [...readTopics()].flatMap(([name, topic]) => (topics.includes(name) ? [topic] : [])),
    version,
  );

/** Nobody has an account here; who can read the data folder is this machine's operator. */
function authenticateBy(token: string): Authenticate {
  const wanted = Buffer.from(token);
  return async ({ bearer, apiKey }) => {
    if (bearer === undefined && apiKey === undefined) return undefined;
    const given = Buffer.from(bearer ?? '');
    if (given.length === wanted.length && timingSafeEqual(given, wanted)) return operator;
    throw problem('token-invalid', 'A witness knows no accounts and no keys: ask a node');
  };
}

const operator: Principal = {
  userId: '00000000-0000-0000-0000-000000000000',
  username: 'operator',
  role: 'admin',
  via: 'operator',
  credentialId: 'operator',
  permissions: new Set(['admin:*']),
};
