import { problem } from './errors.ts';

/** What a signed-in caller may do; `admin:*` covers every `admin:` permission. */
export type Permission = `${string}:${string}`;

/** Who is calling, as authentication found it. Handlers never see tokens. */
export interface Principal {
  readonly userId: string;
  readonly username: string;
  readonly role: 'admin' | 'user';
  /** In which titles and texts are shown, as in BCP 47; undefined: as each request accepts. */
  readonly language?: string;
  /** Ids of the libraries whose works are there for this caller; undefined: all. See `visible.ts`. */
  readonly libraries?: ReadonlySet<string>;
  /**
   * How the caller proved it: a session's access token, an API key, a signed address, or by reading
   * the data folder of the node (the command line).
   */
  readonly via: 'session' | 'apikey' | 'signed' | 'operator';
  /** Session id, or API key id; for a signed address, of the credential that asked for it. */
  readonly credentialId: string;
  readonly permissions: ReadonlySet<Permission>;
  /** When the proof ends (epoch ms); long answers such as the event stream end with it. */
  readonly expiresAt?: number;
}

/** True when `held` contains `wanted` or a wildcard that covers it (`movies:*`, `admin:*`). */
export function permits(held: ReadonlySet<Permission>, wanted: Permission): boolean {
  if (held.has(wanted)) return true;
  const resource = wanted.slice(0, wanted.indexOf(':'));
  return held.has(`${resource}:*`);
}

/** The caller; operations that are not public always have one. Throws `unauthenticated`. */
export function callerOf(principal: Principal | undefined): Principal {
  if (principal === undefined) throw problem('unauthenticated', 'Sign in first');
  return principal;
}

/** What a request offers as proof; the HTTP layer only collects it. */
export interface Credentials {
  /** The value of `Authorization: Bearer`. */
  readonly bearer?: string;
  /** The value of `X-API-Key`. */
  readonly apiKey?: string;
  /** `?token=` of an operation that the spec marks `x-signed`, with what it must be bound to. */
  readonly signature?: {
    readonly token: string;
    readonly operationId: string;
    readonly params: Readonly<Record<string, string>>;
  };
  readonly ip: string;
}

/**
 * Finds out who is calling. Undefined when nothing was offered; throws ProblemError
 * (`token-invalid`, `token-expired`, `account-disabled`) when what was offered does not hold.
 */
export type Authenticate = (credentials: Credentials) => Promise<Principal | undefined>;
