import type { Config } from '../config/keys.ts';
import { findRunning, type Running } from '../rundir.ts';
import { CommandError, exitCode } from './exit.ts';

/** Speaks to a node as the person at the command line. */
export interface Client {
  readonly url: string;
  /** One JSON request; throws CommandError with the problem's words. */
  request<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Server-sent events until `signal` ends it. */
  events(
    names: string,
    signal: AbortSignal,
  ): AsyncGenerator<{ name: string; payload: Record<string, unknown> }>;
}

interface Problem {
  title?: string;
  detail?: string;
  errors?: { path: string; message: string }[];
}

/**
 * Finds the node to speak to: `REVENGE_URL` with `REVENGE_API_KEY`, or the one that runs on this
 * machine's data folder, whose token is readable to its owner.
 */
export async function connectClient(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Client> {
  const remote = env['REVENGE_URL'];
  if (remote !== undefined) {
    const apiKey = env['REVENGE_API_KEY'];
    if (apiKey === undefined) {
      throw new CommandError('REVENGE_URL is set: REVENGE_API_KEY is needed too', exitCode.usage);
    }
    return createClient(remote.replace(/\/$/, ''), { 'x-api-key': apiKey });
  }
  const running = await findOurs(config['data.dir']);
  if (running === undefined) {
    throw new CommandError(
      `no node runs on ${config['data.dir']}: start one with "revenge serve", or set ` +
        'REVENGE_URL and REVENGE_API_KEY',
      exitCode.unavailable,
    );
  }
  return createClient(running.url, { authorization: `Bearer ${running.token}` });
}

async function findOurs(dataDir: string): Promise<Running | undefined> {
  try {
    return await findRunning(dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new CommandError(
      `${dataDir} belongs to another user: run this as the user that runs the node (sudo -u), or ` +
        'set REVENGE_URL and REVENGE_API_KEY',
      exitCode.forbidden,
    );
  }
}

function createClient(url: string, credentials: Record<string, string>): Client {
  let highestIndex = 0;
  const headers = (): Record<string, string> => ({
    ...credentials,
    ...(highestIndex === 0 ? {} : { 'x-revenge-index': String(highestIndex) }),
  });

  async function send(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, init);
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error;
      const { cause } = error as { cause?: { code?: string } };
      throw new CommandError(`${url} does not answer (${cause?.code})`, exitCode.unavailable);
    }
    highestIndex = Math.max(highestIndex, Number(response.headers.get('x-revenge-index') ?? 0));
    if (response.ok) return response;
    throw await asError(response);
  }

  return {
    url,
    async request<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await send(path, {
        method,
        headers: { ...headers(), ...(body === undefined ? {} : json) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(60_000),
      });
      const text = await response.text();
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    async *events(names, signal) {
      const query = new URLSearchParams({ events: names }).toString();
      const response = await send(`/api/v1/events?${query}`, { headers: headers(), signal });
      if (response.body === null) return;
      let rest = '';
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const name = /^event: ?(.*)$/m.exec(block)?.[1];
          const data = /^data: ?(.*)$/m.exec(block)?.[1];
          if (name === undefined || data === undefined) continue;
          yield { name, payload: JSON.parse(data) as Record<string, unknown> };
        }
      }
    },
  };
}

const json = { 'content-type': 'application/json' };

async function asError(response: Response): Promise<CommandError> {
  const text = await response.text();
  let said: Problem = {};
  try {
    said = JSON.parse(text) as Problem;
  } catch {
    // Not a problem document (a proxy's page, say): the status alone has to do.
  }
  const words = wordsOf(said) ?? `HTTP ${response.status}`;
  const isForbidden = response.status === 401 || response.status === 403;
  const exit = isForbidden
    ? exitCode.forbidden
    : response.status >= 502
      ? exitCode.unavailable
      : exitCode.failed;
  return new CommandError(words, exit);
}

/** What a person reads: the detail, and of the single faults what it does not say already. */
function wordsOf({ title, detail = title, errors = [] }: Problem): string | undefined {
  const more = errors
    .filter(({ message }) => detail?.includes(message) !== true)
    .map(({ path, message }) => `${path}: ${message}`);
  const words = [...(detail === undefined ? [] : [detail]), ...more].join('; ');
  // Where in the request a value stood means nothing to who typed an option: /query/limit is limit.
  return words === '' ? undefined : words.replaceAll(/\/(?:params|query|body)\/(?=\w)/g, '');
}
