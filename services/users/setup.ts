import { timingSafeEqual } from 'node:crypto';
import { record } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import type { Log } from '../log.ts';
import type { PasswordHasher } from './argon2.ts';
import { hashToken, newToken, type Random } from './opaque.ts';
import { checkPassword, checkUsername } from './rules.ts';
import { closeSetup, findOffer, putOffer } from './setup-store.ts';
import { hasAdmin, insertUser, type UserRow } from './user-store.ts';

/** What the set-up needs. */
export interface SetupDeps {
  readonly store: Store;
  readonly hasher: PasswordHasher;
  readonly random: Random;
  readonly now: () => number;
  readonly log: Log;
}

/** The first administrator's name and password, and how the right to be that is proven. */
export interface SetupRequest {
  /** The offered token; undefined only for who has the database itself (the command line). */
  readonly token: string | undefined;
  readonly username: string;
  readonly password: string;
  readonly ip?: string | undefined;
}

/** Makes the first administrator, once. */
export interface Setup {
  /** True until there is an administrator. */
  isRequired(): Promise<boolean>;
  /** A new one-time token, good for 24 hours, voiding all before; undefined when none is needed. */
  offer(): Promise<string | undefined>;
  /** Throws `setup-done`, `token-invalid` or `unprocessable`. */
  complete(request: SetupRequest): Promise<UserRow>;
}

const offerMs = 24 * 3_600_000;

/** Makes the set-up. */
export function createSetup(deps: SetupDeps): Setup {
  const { store, now } = deps;
  const log = deps.log.child({ module: 'setup' });
  return {
    isRequired: async () => !(await hasAdmin(store.sql)),
    async offer() {
      const token = newToken(deps.random);
      const expiresAt = new Date(now() + offerMs);
      return store.write(async (tx) => {
        if (await hasAdmin(tx)) return undefined;
        await putOffer(tx, { tokenHash: hashToken(token), expiresAt });
        return token;
      });
    },
    async complete(request) {
      const user = await complete(deps, request);
      log.info('the first administrator was made', { userId: user.id });
      return user;
    },
  };
}

async function complete(deps: SetupDeps, request: SetupRequest): Promise<UserRow> {
  const { store, hasher } = deps;
  if (await hasAdmin(store.sql)) throw done();
  const tokenHash = request.token === undefined ? undefined : hashToken(request.token);
  if (tokenHash !== undefined) await checkOffer(deps, tokenHash);
  const username = checkUsername(request.username);
  const passwordHash = await hasher.hash(checkPassword(request.password, username));
  const at = new Date(deps.now());
  return store.write(async (tx) => {
    const isFirst = await closeSetup(tx, { tokenHash, at });
    // Asked again behind the lock: whoever held it before may have made one.
    if (!isFirst || (await hasAdmin(tx))) throw done();
    const admin = { username, displayName: null, role: 'admin', libraryIds: null } as const;
    const user = await insertUser(tx, { ...admin, passwordHash, at });
    const { id: userId } = user;
    await record(tx, { action: 'auth.setup', userId, username, ip: request.ip, at });
    return user;
  });
}

/** Before the costly hash, and in constant time: the token is compared, not looked up. */
async function checkOffer(deps: SetupDeps, tokenHash: Buffer): Promise<void> {
  const offered = await findOffer(deps.store.sql, new Date(deps.now()));
  if (offered === undefined || !timingSafeEqual(offered, tokenHash)) {
    throw problem('token-invalid', 'The set-up link is void; the last start printed a new one.');
  }
}

const done = () => problem('setup-done', 'Sign in as the administrator, or ask for an account.');
