import type { Cache } from '#storage/cache/cache.ts';
import type { Store } from '../changes.ts';
import type { JobHandler } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import type { Authenticate } from '../principal.ts';
import type { Settings } from '../settings/index.ts';
import { createAccessTokens } from './access-token.ts';
import { createAccounts, type Accounts } from './accounts.ts';
import { createHasher, type Argon2Cost } from './argon2.ts';
import { createAuthRoutes } from './auth-routes.ts';
import {
  createAuthenticate,
  createRecheck,
  type Recheck,
  type VerifySignature,
} from './authenticate.ts';
import type { Counters } from './counters.ts';
import { createUserJobs } from './jobs.ts';
import { createKeyRoutes } from './key-routes.ts';
import { createKeys } from './keys.ts';
import { createLogin } from './login.ts';
import type { Random } from './opaque.ts';
import { createReadings } from './readings.ts';
import { createSessionRoutes } from './session-routes.ts';
import { createSessions } from './sessions.ts';
import { createSetup, type Setup } from './setup.ts';
import { createSlowdown } from './slowdown.ts';
import { createUserRoutes } from './user-routes.ts';

export { createMemoryCounters, createRedisCounters, type Counters } from './counters.ts';
export { ensureSecret } from './secrets.ts';
export {
  isPermission,
  permissionNames,
  permissions,
  permissionsOf,
  type KnownPermission,
} from './permissions.ts';
export type { Recheck, SignedFor, VerifySignature } from './authenticate.ts';
export type { Accounts, Actor, NewUser, UserChange } from './accounts.ts';
export type { Setup, SetupRequest } from './setup.ts';

/** What users need. */
export interface UsersDeps {
  readonly store: Store;
  readonly cache: Cache;
  readonly secrets: {
    /** At least 32 bytes, the same on every node: `auth.jwt_secret`, or `ensureSecret(…)`. */
    readonly jwtSecret: string | Uint8Array;
  };
  readonly settings: Pick<Settings, 'get'>;
  /** Where failed sign-ins are counted: shared by the nodes, or this node's own. */
  readonly counters: Counters;
  readonly log: Log;
  readonly now: () => number;
  readonly random: Random;
  /** Reads signed addresses; without it there are none. */
  readonly verifySignature?: VerifySignature;
  /** What a password's hash costs; the default suits a small server. */
  readonly passwordCost?: Argon2Cost;
}

type Handlers = ReturnType<typeof createAuthRoutes> &
  ReturnType<typeof createUserRoutes> &
  ReturnType<typeof createSessionRoutes> &
  ReturnType<typeof createKeyRoutes>;

/** Accounts, sessions, keys: who people are and what they may do. */
export interface Users extends Pick<Accounts, 'setPassword' | 'update' | 'remove'> {
  readonly handlers: Handlers;
  readonly authenticate: Authenticate;
  readonly recheck: Recheck;
  readonly setup: Pick<Setup, 'isRequired' | 'offer' | 'complete'>;
  readonly createUser: Accounts['create'];
  readonly jobs: readonly JobHandler[];
}

/** Makes users. Single sign-on, groups and grants find their place beside `login.ts`. */
export function createUsers(deps: UsersDeps): Users {
  const { store, cache, now, random, log, settings } = deps;
  const tokens = createAccessTokens({ secret: bytesOf(deps.secrets.jwtSecret), now });
  const cost = deps.passwordCost;
  const hasher = createHasher({ random, ...(cost === undefined ? {} : { cost }) });
  const sessions = createSessions({ ...deps, tokens });
  const accounts = createAccounts({ store, hasher, sessions, now });
  const setup = createSetup({ store, hasher, random, now, log });
  const slowdown = createSlowdown(deps.counters);
  const login = createLogin({ store, hasher, slowdown, sessions, now, log });
  const keys = createKeys({ store, random, now });
  const readings = createReadings({ sql: store.sql, cache, now });
  const { verifySignature } = deps;
  return {
    handlers: {
      ...createAuthRoutes({ store, setup, login, sessions, settings, now }),
      ...createUserRoutes({ store, accounts }),
      ...createSessionRoutes({ store, sessions, now }),
      ...createKeyRoutes({ store, keys }),
    },
    authenticate: createAuthenticate({
      sql: store.sql,
      tokens,
      readings,
      verifySignature,
      now,
      log,
    }),
    recheck: createRecheck({ sql: store.sql, readings, now }),
    setup,
    createUser: accounts.create,
    setPassword: accounts.setPassword,
    update: accounts.update,
    remove: accounts.remove,
    jobs: createUserJobs({ store, now, log }),
  };
}

const bytesOf = (secret: string | Uint8Array): Uint8Array =>
  typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
