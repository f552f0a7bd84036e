import type { InstallRequest } from '../core/types.ts';
import { requestToWire } from '../wire/convert.ts';
import { encodeRequest, type WireRequest, type WireResponse } from '../wire/messages.ts';
import { keptFromWire, questionToWire, restToWire } from '../wire/resume.ts';
import type { Link } from './link.ts';
import type { Bytes, Shared, SnapshotSource } from './types.ts';

/** hashicorp's pace for the answer to a snapshot: the request's time per so many bytes. */
const BYTES_PER_TIMEOUT = 256 * 1024;
const MAX_INSTALL_MS = 10 * 60_000;

interface Install {
  readonly request: InstallRequest;
  readonly source: SnapshotSource;
  readonly shared: Shared;
}

/**
 * Sends a snapshot over a connection of its own: whole, as hashicorp does, or to one of our own
 * peers what it has not yet.
 * @throws SendError
 */
export async function sendSnapshot(link: Link, install: Install): Promise<WireResponse> {
  const { request, source, shared } = install;
  const { size } = request;
  const stallMs = shared.timeouts.requestMs;
  await link.opened();
  const kept = link.isOurs() || shared.isAllOurs ? await askKept(link, install) : undefined;
  const from = kept ?? 0;
  const { crc } = source;
  const wire =
    kept === undefined ? requestToWire(request) : restToWire(request, { from, size, crc });
  if (from > 0) shared.log.info('goes on with a snapshot', { index: request.snapshot.index, from });
  const answered = ask(link, wire, stallMs);
  const pumped = pump(link, source.read(from), { size: size - from, stallMs });
  try {
    return await answered;
  } finally {
    await pumped;
  }
}

/** Undefined: the peer does not know how to go on with a snapshot. */
async function askKept(link: Link, { request, source, shared }: Install) {
  const question = questionToWire(request, source.crc);
  // What is there is read and checked first.
  const response = await ask(link, question, paceMs(request.size, shared.timeouts.requestMs));
  return keptFromWire(response, request.size);
}

function ask(link: Link, wire: WireRequest, timeoutMs: number): Promise<WireResponse> {
  return new Promise((resolve, reject) => {
    link.ask({
      ...{ kind: 'install', parts: encodeRequest(wire), timeoutMs },
      done(error, response) {
        if (response) resolve(response);
        else reject(error!);
      },
    });
  });
}

const paceMs = (size: number, stallMs: number): number =>
  Math.min(Math.max(1, size / BYTES_PER_TIMEOUT) * stallMs, MAX_INSTALL_MS);

interface Pace {
  readonly size: number;
  readonly stallMs: number;
}

/** Never throws: what goes wrong ends the connection, and with it the request. */
async function pump(link: Link, body: Bytes, { size, stallMs }: Pace): Promise<void> {
  let sent = 0;
  try {
    for await (const bytes of body) {
      sent += bytes.length;
      if (sent > size) return link.end('error', `the snapshot has more than its ${size} bytes`);
      if (!(await link.write(bytes))) return;
      link.extend(stallMs);
    }
  } catch (error) {
    return link.end('error', `the snapshot cannot be read: ${String(error)}`);
  }
  if (sent < size) return link.end('error', `the snapshot ended after ${sent} of ${size} bytes`);
  link.extend(paceMs(size, stallMs));
}
