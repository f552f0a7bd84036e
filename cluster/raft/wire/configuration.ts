/** hashicorp's EncodeConfiguration: data of a configuration entry, and part of a snapshot's header. */
import type { Configuration, Server } from '../core/types.ts';
import {
  WireError,
  createWriter,
  openValue,
  rawLength,
  readArrayHeader,
  readInt,
  readMapHeader,
  readRaw,
  skipValue,
  writeArrayHeader,
  writeInt,
  writeMapHeader,
  writeNil,
  writeText,
  written,
  type Cursor,
  type Raw,
} from './msgpack.ts';

const VOTER = 0;
const NONVOTER = 1;
/** Deprecated in Go, where it counts as a learner too. */
const STAGING = 2;

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const w = createWriter();
  writeMapHeader(w, 1);
  writeText(w, 'Servers');
  if (configuration.servers.length === 0) writeNil(w);
  else {
    writeArrayHeader(w, configuration.servers.length);
    for (const server of configuration.servers) {
      writeMapHeader(w, 3);
      writeText(w, 'Address');
      writeText(w, server.address);
      writeText(w, 'ID');
      writeText(w, server.id);
      writeText(w, 'Suffrage');
      writeInt(w, server.suffrage === 'voter' ? VOTER : NONVOTER);
    }
  }
  return written(w);
}

/** @throws WireError unless the bytes are a configuration. Unknown keys are passed over, as in Go. */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const c = openValue(bytes);
  const servers: Server[] = [];
  for (let left = readMapHeader(c); left > 0; left--) {
    if (readKey(c) !== 'Servers') skipValue(c);
    else {
      servers.length = 0;
      for (let count = readArrayHeader(c); count > 0; count--) servers.push(readServer(c));
    }
  }
  return { servers };
}

function readServer(c: Cursor): Server {
  let address = '';
  let id = '';
  let suffrage: Server['suffrage'] = 'voter';
  for (let left = readMapHeader(c); left > 0; left--) {
    const key = readKey(c);
    if (key === 'Address') address = rawText(readRaw(c));
    else if (key === 'ID') id = rawText(readRaw(c));
    else if (key === 'Suffrage') suffrage = suffrageOf(c);
    else skipValue(c);
  }
  return { id, address, suffrage };
}

function suffrageOf(c: Cursor): Server['suffrage'] {
  const value = readInt(c);
  if (value === VOTER) return 'voter';
  if (value === NONVOTER || value === STAGING) return 'nonvoter';
  throw new WireError(`a server has the unknown suffrage ${value}`);
}

/** A map's key as text. */
export function readKey(c: Cursor): string {
  const length = rawLength(c);
  if (length < 0) throw new WireError('a key is not text');
  c.at += length;
  return rawText(c.buf.subarray(c.at - length, c.at));
}

export function rawText(raw: Raw | undefined): string {
  if (!raw || raw.length === 0) return '';
  return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8');
}

/** hashicorp's old list of voters' addresses, still part of a snapshot's header. */
export function encodePeers(configuration: Configuration): Uint8Array {
  const voters = configuration.servers.filter((server) => server.suffrage === 'voter');
  const w = createWriter();
  writeArrayHeader(w, voters.length);
  for (const server of voters) writeText(w, server.address);
  return written(w);
}
