import type { IncomingMessage, ServerResponse } from 'node:http';
import { problem } from '#services/errors.ts';
import type { Route } from './operations.ts';

const jsonType = 'application/json';

/** A body read, and parsed where it is JSON; `contentType` is the bare media type, undefined without a body. */
export interface ReadBody {
  contentType: string | undefined;
  value: unknown;
}

const nothing: ReadBody = { contentType: undefined, value: undefined };
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the body an operation takes. A body it does not take is left on the wire. Throws
 * `too-large`, `unsupported-media-type` or `bad-request` (with the position of the fault).
 */
export async function readBody(
  req: IncomingMessage,
  res: ServerResponse,
  options: { route: Route; limitBytes: number; raw: Buffer | undefined },
): Promise<ReadBody> {
  const { route, limitBytes } = options;
  if (route.body === 'none') return nothing;
  const length = req.headers['content-length'];
  if (req.headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) {
    if (route.body === 'optional') return nothing;
    throw missing();
  }
  const contentType = mediaType(req, route);
  const bytes = options.raw ?? (await readRaw(req, res, limitBytes));
  if (bytes.length === 0 && route.body === 'optional') return nothing;
  if (bytes.length === 0) throw missing();
  return { contentType, value: contentType === jsonType ? parse(bytes) : bytes };
}

/** The body's bytes. Throws `too-large`. */
export async function readRaw(
  req: IncomingMessage,
  res: ServerResponse,
  limitBytes: number,
): Promise<Buffer> {
  begin(req, res, limitBytes);
  return collect(req, limitBytes);
}

/** Has a client send its body. Throws `too-large` for one that says it is. */
export function begin(req: IncomingMessage, res: ServerResponse, limitBytes: number): void {
  if (Number(req.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  if (/^100-continue$/i.test(req.headers.expect ?? '')) res.writeContinue();
}

const missing = () =>
  problem('bad-request', 'A body is required', {
    errors: [{ path: '/body', message: 'is required' }],
  });

export const tooLarge = (limitBytes: number) =>
  problem('too-large', `A body may have ${limitBytes} bytes`);

function mediaType(req: IncomingMessage, route: Route): string {
  const given = req.headers['content-type'] ?? '';
  const [type = '', ...parameters] = given.toLowerCase().split(';');
  const bare = type.trim();
  if (!route.bodyTypes.includes(bare)) {
    const wanted = route.bodyTypes.join(' or ');
    throw problem('unsupported-media-type', `Send ${wanted}`, { headers: { Accept: wanted } });
  }
  const charset = parameters.find((parameter) => parameter.trim().startsWith('charset='));
  if (charset && !/^\s*charset="?utf-?8"?\s*$/.test(charset)) {
    throw problem('unsupported-media-type', 'Send UTF-8');
  }
  const coding = req.headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity') {
    throw problem('unsupported-media-type', 'Send the body without a content coding', {
      headers: { 'Accept-Encoding': 'identity' },
    });
  }
  return bare;
}

function collect(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (run: () => void) => {
      req.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      run();
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) settle(() => reject(tooLarge(limitBytes)));
      else chunks.push(chunk);
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, size)));
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () => settle(() => reject(new Error('the client went away')));
    req.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

function parse(bytes: Buffer): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw problem('bad-request', 'The body is not valid UTF-8', { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const detail = `The body is not valid JSON: ${(cause as Error).message}`;
    throw problem('bad-request', detail, {
      errors: [{ path: '/body', message: positionIn(text, (cause as Error).message) }],
      cause,
    });
  }
  // Only an escape can bring such a character in: UTF-8 has no half pairs, JSON no bare controls.
  if (unfitEscape.test(text)) refuseUnfit(value);
  return value;
}

/** PostgreSQL's text cannot hold U+0000, and no name or title has one. */
export const nulFound = (path: string) =>
  problem('bad-request', `${path} contains a NUL character`, {
    errors: [{ path, message: 'contains a NUL character' }],
  });

const unfitEscape = /\\u(?:0000|d[89a-f])/i;

/** Throws `bad-request` for texts, names included, that PostgreSQL could not keep as they are. */
function refuseUnfit(value: unknown): void {
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === 'string') refuseText(next);
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, entry] of Object.entries(next)) {
      refuseText(key);
      waiting.push(entry);
    }
  }
}

function refuseText(text: string): void {
  if (text.includes('\0')) throw nulFound('/body');
  if (text.isWellFormed()) return;
  throw problem('bad-request', '/body contains half a surrogate pair', {
    errors: [{ path: '/body', message: 'contains half a surrogate pair' }],
  });
}

function positionIn(text: string, message: string): string {
  const found = /position (\d+)/.exec(message)?.[1];
  const at = found === undefined ? text.length : Number(found);
  const before = text.slice(0, at).split('\n');
  return `invalid JSON at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
