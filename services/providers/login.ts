import * as z from 'zod';
import { OutboundError, type Outbound } from '#storage/outbound/index.ts';
import { ProviderError, type ProviderFailure } from '../metadata/provider-error.ts';
import { retryAfterOf, type Token } from './http.ts';

/** Where a key is shown, and what for. */
export interface LoginOptions {
  /** Of the provider, as in its profile. */
  readonly name: string;
  readonly url: string;
  /** Holds the key: part of no message. */
  readonly body: Readonly<Record<string, string>>;
  /** Milliseconds a token is used before another is asked for. */
  readonly lifeMs: number;
}

const timeoutMs = 8_000;
const bytesMax = 64 * 1_024;
const refusedMs = 3_600_000;
const answer = z.object({ data: z.object({ token: z.string().min(1) }) });

/**
 * Gets a token for a key when it is first needed and once it has run out; who asks meanwhile waits
 * for the same one.
 */
export function createLogin(
  { outbound, now }: { readonly outbound: Outbound; readonly now: () => number },
  options: LoginOptions,
): Token {
  let held: { readonly token: string; readonly until: number } | undefined;
  let coming: Promise<string> | undefined;
  const logIn = async (): Promise<string> => {
    const token = await ask(outbound, options);
    held = { token, until: now() + options.lifeMs };
    return token;
  };
  return {
    async get() {
      if (held !== undefined && held.until > now()) return held.token;
      coming ??= logIn().finally(() => (coming = undefined));
      return coming;
    },
    refused(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

async function ask(outbound: Outbound, { name, url, body }: LoginOptions): Promise<string> {
  const fail = (failure: ProviderFailure, detail: string, more: object = {}) =>
    new ProviderError(name, { failure, detail: `login: ${detail}`, ...more });
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const request = { method: 'POST', headers, body: JSON.stringify(body) } as const;
  const limits = { timeoutMs, maxBytes: bytesMax };
  const reply = await outbound.fetch(url, { ...request, ...limits }).catch((cause: unknown) => {
    if (!(cause instanceof OutboundError)) throw cause;
    throw fail('unavailable', cause.message, { cause });
  });
  const { status } = reply;
  if (status === 401 || status === 403) {
    throw fail('refused', 'it does not take the key', { retryAfterMs: refusedMs });
  }
  if (status === 429) {
    throw fail('busy', 'it was asked too often', { retryAfterMs: retryAfterOf(reply.headers) });
  }
  if (status !== 200) throw fail('unavailable', `it answered ${status}`);
  const read = answer.safeParse(jsonOf(reply.bytes));
  if (!read.success) throw fail('broken', 'it answered no token');
  return read.data.data.token;
}

/** Undefined: it is none. */
function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
