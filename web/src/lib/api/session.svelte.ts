import type { components } from '$api/types';
import { lifetimeOf } from './token.ts';
import { ApiError, type ProblemBody } from './problem.ts';
import type { Ask, Transport } from './transport.ts';

type Tokens = components['schemas']['Tokens'];
type User = components['schemas']['User'];

/**
 * `unknown` until it was looked whether this browser is still signed in. `expired`: the session
 * ended while somebody works; the page stays as it is and asks for the password.
 */
export type SessionStatus = 'unknown' | 'out' | 'in' | 'expired';

export interface SessionDeps {
  readonly transport: Transport;
  readonly storage: Storage;
  /** One browser tab at a time; not there on plain HTTP. */
  readonly locks: LockManager | undefined;
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsed: () => number;
  /** The browser's other tabs, which share what is kept. */
  readonly tabs: Tabs;
  /** The browser is somebody else's now, or nobody's: nothing that this tab holds may stay. */
  readonly onOther: () => void;
}

/** What tabs tell each other: the id of who signed in; undefined when somebody signed out. */
export interface Tabs {
  tell(userId: string | undefined): void;
  onTold(listener: (userId: string | undefined) => void): void;
  /** Calls when another tab has put something there, which may be after it is told. */
  onKept(place: string, listener: () => void): void;
}

/** Who is signed in. The access token is in memory only; the refresh token outlives the tab. */
export interface Session {
  readonly status: SessionStatus;
  readonly user: User | undefined;
  /** Signs in again with what this browser kept; resolves to whether that worked. */
  restore(): Promise<boolean>;
  signIn(username: string, password: string): Promise<void>;
  signOut(): Promise<void>;
  /** A token that is good for a while; undefined when nobody is signed in. */
  token(): Promise<string | undefined>;
  /** The token that was refused is over, whatever its time: get another one. */
  renew(refused: string): Promise<string | undefined>;
  /** Who is signed in, anew: the server says that they have changed. */
  learn(): Promise<void>;
  /** Milliseconds after which the token is to be replaced. */
  readonly tokenLeftMs: number;
}

const slot = 'revenge.refresh';
const earlyMs = 60_000;
const fallbackMs = 15 * 60_000;

export function createSession(deps: SessionDeps): Session {
  const { transport, storage, locks, elapsed, tabs, onOther } = deps;
  let status = $state<SessionStatus>('unknown');
  let user = $state.raw<User | undefined>();
  let access: { token: string; until: number } | undefined;
  let running: Promise<string | undefined> | undefined;

  const take = (tokens: Tokens): string | undefined => {
    // Signed in by another tab, while this one still shows what is not theirs.
    if (user && user.id !== tokens.user.id) return give();
    const lifeMs = lifetimeOf(tokens.accessToken, fallbackMs);
    access = { token: tokens.accessToken, until: elapsed() + lifeMs };
    user = tokens.user;
    status = 'in';
    return tokens.accessToken;
  };
  const send = async (ask: Ask, token?: string): Promise<unknown> => {
    if (token !== undefined) ask.headers.set('Authorization', `Bearer ${token}`);
    const answer = await transport.send(ask);
    const text = await answer.text();
    if (!answer.ok) throw new ApiError(answer.status, parse(text));
    return text === '' ? undefined : JSON.parse(text);
  };
  const post = (path: string, json: unknown, token?: string) => {
    const headers = new Headers({ 'Content-Type': 'application/json' });
    return send({ method: 'POST', path, headers, body: JSON.stringify(json) }, token);
  };
  const exchange = async (): Promise<string | undefined> => {
    // Another tab may have exchanged it in the meantime: what is kept now is what counts.
    const refreshToken = storage.getItem(slot);
    if (refreshToken === null) return lose();
    try {
      const tokens = (await post('/api/v1/auth/refresh', { refreshToken })) as Tokens;
      const kept = storage.getItem(slot);
      // Signed out while it was on its way.
      if (kept === null) return lose();
      // Another tab may have one that came after it.
      if (kept === refreshToken) storage.setItem(slot, tokens.refreshToken);
      return take(tokens);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (storage.getItem(slot) === refreshToken) storage.removeItem(slot);
      return lose();
    }
  };
  const lose = () => {
    access = undefined;
    status = status === 'in' || status === 'expired' ? 'expired' : 'out';
    return undefined;
  };
  /** To who came after. */
  const give = () => {
    access = undefined;
    user = undefined;
    status = 'unknown';
    onOther();
    return undefined;
  };
  const alone = async (work: typeof exchange) => (locks ? locks.request(slot, work) : work());
  const refresh = (): Promise<string | undefined> => {
    running ??= alone(exchange).finally(() => (running = undefined));
    return running;
  };
  const leave = () => {
    storage.removeItem(slot);
    access = undefined;
    user = undefined;
    status = 'out';
  };

  const goOn = () => {
    // What fails now is asked for again by whoever signs in here.
    if (status === 'expired') refresh().catch(() => undefined);
  };
  tabs.onTold((userId) => {
    if (user === undefined) return;
    if (user.id !== userId) give();
    else goOn();
  });
  tabs.onKept(slot, goOn);

  return {
    get status() {
      return status;
    },
    get user() {
      return user;
    },
    get tokenLeftMs() {
      return access ? Math.max(0, access.until - earlyMs - elapsed()) : 0;
    },
    async restore() {
      if (storage.getItem(slot) === null) leave();
      else await refresh();
      return status === 'in';
    },
    async signIn(username, password) {
      const deviceName = describeDevice(navigator.userAgent);
      const json = { username, password, deviceName };
      const tokens = (await post('/api/v1/auth/login', json)) as Tokens;
      storage.setItem(slot, tokens.refreshToken);
      take(tokens);
      tabs.tell(tokens.user.id);
    },
    async signOut() {
      const token = access?.token;
      leave();
      tabs.tell(undefined);
      // The session ends here whether or not the server hears of it.
      if (token) await post('/api/v1/auth/logout', undefined, token).catch(() => undefined);
    },
    async token() {
      if (access && access.until - earlyMs > elapsed()) return access.token;
      if (status !== 'in') return undefined;
      return refresh();
    },
    async learn() {
      const token = access?.token;
      if (status !== 'in' || token === undefined) return;
      const headers = new Headers();
      const ask: Ask = { method: 'GET', path: '/api/v1/users/me', headers, body: undefined };
      try {
        const self = (await send(ask, token)) as User;
        if (user?.id === self.id) user = self;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        await refresh();
      }
    },
    async renew(refused) {
      if (access && access.token !== refused) return access.token;
      return status === 'in' ? refresh() : undefined;
    },
  };
}

/** Of the token itself; too many of them pass. */
const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError && [401, 403].includes(error.status);

function parse(text: string): ProblemBody | undefined {
  try {
    return JSON.parse(text) as ProblemBody;
  } catch {
    return undefined; // not of ours: the status says all there is
  }
}

/** How this browser is called in the list of sessions. */
export function describeDevice(userAgent: string): string {
  const find = (names: readonly (readonly [RegExp, string])[]) =>
    names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = find([
    [/Edg\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/Firefox\//, 'Firefox'],
    [/Chrom(e|ium)\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ]);
  const system = find([
    [/Android/, 'Android'],
    [/iPhone|iPad/, 'iOS'],
    [/Windows/, 'Windows'],
    [/Mac OS/, 'macOS'],
    [/Tizen|Web0S|SMART-TV/i, 'TV'],
    [/Linux/, 'Linux'],
  ]);
  return [browser ?? 'Browser', system].filter(Boolean).join(' · ');
}
