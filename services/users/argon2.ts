import { argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { problem } from '../errors.ts';
import type { Random } from './opaque.ts';

/** What a hash costs: memory in KiB, passes over it, lanes. */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}

/**
 * 19 MiB and two passes, the first of OWASP's equally strong choices (Password Storage Cheat
 * Sheet); measured at 50 ms on one core of a small server, where 64 MiB and one pass took 129 ms.
 */
export const defaultCost: Argon2Cost = { memoryKib: 19_456, passes: 2, parallelism: 1 };

/** Makes and checks password hashes, a bounded number at a time. */
export interface PasswordHasher {
  /** The PHC string of a password, with a fresh salt. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password belongs to the hash. Without a hash it works as long and says no, so that
   * the time taken does not tell whether an account exists.
   */
  verify(password: string, phc: string | undefined): Promise<boolean>;
  /** Whether a hash was made at another cost than the present one. */
  isOutdated(phc: string): boolean;
}

/** What a hasher needs; `concurrency` bounds memory, `queueMax` bounds waiting. */
export interface HasherOptions {
  readonly random: Random;
  readonly cost?: Argon2Cost;
  readonly concurrency?: number;
  readonly queueMax?: number;
}

const derive = promisify(argon2);
const saltBytes = 16;
const tagBytes = 32;
const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

interface Phc {
  readonly cost: Argon2Cost;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** Makes a hasher: argon2id (RFC 9106) in PHC strings that other implementations can read. */
export function createHasher(options: HasherOptions): PasswordHasher {
  const cost = options.cost ?? defaultCost;
  const limit = createGate(options.concurrency ?? 2, options.queueMax ?? 64);
  const tagOf = (password: string, { cost: wanted, salt, tag }: Phc) =>
    limit(() =>
      derive('argon2id', {
        message: password,
        nonce: salt,
        memory: wanted.memoryKib,
        passes: wanted.passes,
        parallelism: wanted.parallelism,
        tagLength: tag.length,
      }),
    );
  const nobody: Phc = { cost, salt: Buffer.alloc(saltBytes, 1), tag: Buffer.alloc(tagBytes) };
  return {
    async hash(password) {
      const fresh = { ...nobody, salt: Buffer.from(options.random(saltBytes)) };
      return toPhc({ ...fresh, tag: await tagOf(password, fresh) });
    },
    async verify(password, phc) {
      const parsed = phc === undefined ? undefined : parsePhc(phc);
      const wanted = parsed ?? nobody;
      const found = await tagOf(password, wanted);
      return timingSafeEqual(found, wanted.tag) && parsed !== undefined;
    },
    isOutdated(phc) {
      const made = parsePhc(phc)?.cost;
      return made === undefined || !sameCost(made, cost);
    },
  };
}

const sameCost = (a: Argon2Cost, b: Argon2Cost) =>
  a.memoryKib === b.memoryKib && a.passes === b.passes && a.parallelism === b.parallelism;

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');

function toPhc({ cost, salt, tag }: Phc): string {
  const { memoryKib, passes, parallelism } = cost;
  const parameters = `m=${memoryKib},t=${passes},p=${parallelism}`;
  return `$argon2id$v=19$${parameters}$${base64(salt)}$${base64(tag)}`;
}

function parsePhc(text: string): Phc | undefined {
  const match = phcPattern.exec(text);
  if (match === null) return undefined;
  const [, memory, passes, parallelism, salt = '', tag = ''] = match;
  return {
    cost: {
      memoryKib: Number(memory),
      passes: Number(passes),
      parallelism: Number(parallelism),
    },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** Lets `concurrency` pieces of work run and `queueMax` wait; more are refused at once. */
function createGate(concurrency: number, queueMax: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  };
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < concurrency) running += 1;
    else if (waiting.length < queueMax) await new Promise<void>((go) => waiting.push(go));
    else throw problem('unavailable', 'Too many sign-ins at once.', { retryAfterSeconds: 2 });
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
