import { createApp, type AppDeps, type AppOptions } from '#node/http/app.ts';
import { listen, type ListenOptions, type Listening } from '#node/http/listen.ts';
import { mergeTopics, readTopics, type Spec } from '#api/spec.ts';
import { problem } from '#services/errors.ts';
import type { Authenticate, Permission, Principal } from '#services/principal.ts';
import { quiet } from './log.ts';
import { noteOpen } from './open.ts';

/** An API of the test's own on a free port of 127.0.0.1. */
export type TestApi = AsyncDisposable & {
  url: string;
  port: number;
  /** `fetch` on this API; `token` is a list of permissions, such as `movies:read jobs:*`. */
  fetch(path: string, init?: RequestInit & { token?: string }): Promise<Response>;
  listening: Listening;
  close(): Promise<void>;
};

export type TestApiOptions = Partial<AppDeps> &
  Pick<AppDeps, 'handlers'> & { app?: AppOptions; listen?: Partial<ListenOptions> };

const fixtures = new URL('./fixtures/api', import.meta.url).pathname;

// Parsing YAML is the slowest part of starting a test's app; each spec is a fresh copy.
let topics: ReturnType<typeof readTopics> | undefined;
let fixture: ReturnType<typeof readTopics> | undefined;
const merged = (parts: Iterable<object | undefined>): Spec =>
  structuredClone(
    mergeTopics(
      [...parts].map((part) => part ?? {}),
      '0',
    ),
  );

/** The fixture's topics and the components that all topics may use, as one spec. */
export function fixtureSpec(): Spec {
  topics ??= readTopics();
  fixture ??= readTopics(fixtures);
  return merged([topics.get('components'), ...fixture.values()]);
}

/** The topics named, with the shared components: `specOf('events')`. */
export function specOf(...names: string[]): Spec {
  const all = (topics ??= readTopics());
  return merged(['components', ...names].map((name) => all.get(name)));
}

/** A principal with the permissions given. */
export function principalWith(...permissions: string[]): Principal {
  return {
    userId: '01890000-0000-7000-8000-000000000001',
    username: 'test',
    role: 'user',
    via: 'session',
    credentialId: 'session-1',
    permissions: new Set(permissions as Permission[]),
  };
}

/** Takes any token as the list of permissions it names, joined by `+`; `bad` is not valid. */
export const authenticateByName: Authenticate = async ({ bearer, apiKey, signature }) => {
  const proof = bearer ?? apiKey;
  if (proof === 'bad' || signature?.token === 'bad') throw problem('token-invalid', 'bad');
  if (proof !== undefined) return principalWith(...proof.split('+').map(fromToken));
  return signature ? { ...principalWith(), via: 'signed', credentialId: 'signed-1' } : undefined;
};

// ":" and "*" are not in the alphabet of bearer tokens (RFC 6750).
const toToken = (permission: string) => permission.replaceAll(':', '.').replaceAll('*', '~');
const fromToken = (part: string) => part.replaceAll('.', ':').replaceAll('~', '*');

/** The token that `authenticateByName` understands: `tokenFor('movies:read', 'jobs:*')`. */
export const tokenFor = (...permissions: string[]): string => permissions.map(toToken).join('+');

/** Starts an app with the handlers given; answers are validated, limits are off. */
export async function testApi(options: TestApiOptions): Promise<TestApi> {
  const closed = noteOpen('testApi');
  const { app: appOptions, listen: listenOptions, ...deps } = options;
  const app = createApp(
    {
      spec: fixtureSpec(),
      authenticate: authenticateByName,
      clock: { applied: () => 0, waitFor: async () => false },
      log: quiet,
      ...deps,
    },
    { validateResponses: true, limits: {}, ...appOptions },
  );
  const listening = await listen(app, {
    host: '127.0.0.1',
    port: 0,
    drainMs: 1_000,
    ...listenOptions,
  });
  const close = async () => {
    await listening.close();
    await app[Symbol.asyncDispose]();
    closed();
  };
  const { url, port } = listening;
  return {
    url,
    port,
    listening,
    close,
    [Symbol.asyncDispose]: close,
    fetch(path, { token, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (token !== undefined) {
        headers.set('authorization', `Bearer ${tokenFor(...token.split(' '))}`);
      }
      return fetch(url + path, { ...init, headers });
    },
  };
}
