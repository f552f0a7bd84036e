import { crc32 } from 'node:zlib';
import type { Applied, Bytes, StateMachine } from '../driver/ports.ts';

/** Shared with peers of other languages, as JSON. */
interface Snapshot {
  readonly kv: Readonly<Record<string, string>>;
  readonly list: readonly string[];
  readonly count: number;
  readonly crc: number;
  readonly last: number;
}

export interface PeerMachine extends StateMachine {
  get(key: string): string | undefined;
  count(): number;
  crc32(): number;
  list(): readonly string[];
}

const chunkItems = 5_000;

/**
 * The harness's state: `set K V` sets a key, any other bytes go to the end of a list; `count` and a
 * CRC-32 over all commands tell whether two peers have seen the same.
 */
export function createPeerMachine(): PeerMachine {
  let kv = new Map<string, string>();
  let list: string[] = [];
  let count = 0;
  let crc = 0;
  let last = 0;

  function command({ index, data }: Applied): void {
    count += 1;
    crc = crc32(data, crc);
    last = index;
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
    const space = text.startsWith('set ') ? text.indexOf(' ', 4) : -1;
    if (space > 4) kv.set(text.slice(4, space), text.slice(space + 1));
    else list.push(text);
  }

  return {
    get: (key) => kv.get(key),
    count: () => count,
    crc32: () => crc,
    list: () => list,
    apply: (entries) =>
      entries.map((entry) => {
        if (entry.type === 'command') command(entry);
        return undefined;
      }),
    // The list only grows and is replaced as a whole, so its length now is all that must be kept.
    snapshot: () => write({ kv: Object.fromEntries(kv), list, count, crc, last }, list.length),
    async restore(stream) {
      const pieces: Uint8Array[] = [];
      for await (const piece of stream) pieces.push(piece);
      const state = JSON.parse(Buffer.concat(pieces).toString('utf8')) as Partial<Snapshot>;
      kv = new Map(Object.entries(state.kv ?? {}));
      list = [...(state.list ?? [])];
      count = state.count ?? 0;
      crc = state.crc ?? 0;
      last = state.last ?? 0;
    },
  };
}

async function* write({ kv, list, count, crc, last }: Snapshot, length: number): Bytes {
  yield Buffer.from(`{"kv":${JSON.stringify(kv)},"list":[`);
  for (let from = 0; from < length; from += chunkItems) {
    const part = JSON.stringify(list.slice(from, Math.min(from + chunkItems, length)));
    yield Buffer.from((from > 0 ? ',' : '') + part.slice(1, -1));
  }
  yield Buffer.from(`],"count":${count},"crc":${crc},"last":${last}}\n`);
}
