import { expect } from 'chai';
import vectors from '#test/fixtures/raft/vectors.json' with { type: 'json' };
import { requestFromWire, responseFromWire } from './convert.ts';
import { decodeRequest, encodeRequest, type Kind } from './messages.ts';
import { DEFAULT_LIMITS, WireError, type Limits } from './msgpack.ts';
import { createRequestReader, createResponseReader } from './stream.ts';

/** A million is the proof, REVENGE_TEST_FRAMES=1000000; each run takes a part with a seed of its own. */
const frames = Number(process.env['REVENGE_TEST_FRAMES'] ?? 20_000);
const seed = Number(process.env['REVENGE_TEST_SEED'] ?? Date.now() % 2 ** 31);

function createRandom(start: number): (below: number) => number {
  let state = start | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Captured {
  readonly kind: Kind;
  readonly request: { readonly hex?: string };
  readonly response: { readonly hex: string };
}
const captured = vectors.exchanges as unknown as readonly Captured[];
const requests = captured.flatMap(({ request }) =>
  request.hex === undefined ? [] : [Buffer.from(request.hex, 'hex')],
);
const answers = captured.map(({ kind, response }) => ({
  kind,
  bytes: Buffer.from(response.hex, 'hex'),
}));

/** Bytes a decoder is most easily misled by: headers, lengths, ends of ranges. */
const EVIL = [
  ...[0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xc9, 0xcf],
  ...[0xd3, 0xd4, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff],
];

function mutate(original: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(original);
  for (let left = 1 + random(4); left > 0; left--) {
    const at = random(bytes.length);
    switch (random(6)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = EVIL[random(EVIL.length)]!;
        break;
      case 2:
        bytes[at]! ^= 1 << random(8);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at + random(8))]);
        break;
      case 4: {
        const other = requests[random(requests.length)]!;
        bytes = Buffer.concat([bytes.subarray(0, at + 1), other.subarray(random(other.length))]);
        break;
      }
      default:
        bytes.fill(0xff, at, Math.min(bytes.length, at + random(6)));
    }
  }
  return bytes;
}

const limits: Limits = { ...DEFAULT_LIMITS, maxFrameBytes: 1024 * 1024 };

/** Reads a stream in random pieces until it is used up or refused. True: it was refused. */
function isRefused(bytes: Buffer, random: (below: number) => number, read: Read): boolean {
  try {
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + random(400));
      read(bytes.subarray(at, end));
      at = end;
    }
    return false;
  } catch (error) {
    if (error instanceof WireError) return true;
    throw error;
  }
}

type Read = (chunk: Uint8Array) => void;

function readRequests(): Read {
  const reader = createRequestReader(limits);
  return (chunk) => {
    reader.push(chunk);
    for (let next = reader.next(); next; next = reader.next()) {
      // What was decoded is encoded and decoded to the same again.
      const bytes = Buffer.concat(encodeRequest(next));
      expect(Buffer.concat(encodeRequest(decodeRequest(bytes))).equals(bytes)).to.equal(true);
      requestFromWire(next);
    }
  };
}

function readAnswers(kind: Kind): Read {
  const reader = createResponseReader();
  return (chunk) => {
    reader.push(chunk);
    for (let next = reader.next(kind); next; next = reader.next(kind)) responseFromWire(next);
  };
}

describe('mutated frames', () => {
  it(`${frames} of them crash nothing and take no memory (seed ${seed})`, function () {
    this.timeout(0);
    const random = createRandom(seed);
    const begin = performance.now();
    let refused = 0;
    let peak = 0;
    for (let i = 0; i < frames; i++) {
      const isAnswer = random(4) === 0;
      const answer = answers[random(answers.length)]!;
      const original = isAnswer ? answer.bytes : requests[random(requests.length)]!;
      const bytes = mutate(original, random);
      const read = isAnswer ? readAnswers(answer.kind) : readRequests();
      if (isRefused(bytes, random, read)) refused++;
      if (i % 1000 === 0) peak = Math.max(peak, process.memoryUsage().rss);
    }
    const seconds = (performance.now() - begin) / 1000;
    expect(refused).to.be.greaterThan(frames / 4);
    expect(peak).to.be.lessThan(1024 ** 3);
    if (frames > 20_000) {
      const rate = Math.round(frames / seconds);
      const mib = Math.round(peak / 1024 ** 2);
      process.stdout.write(
        `      ${frames} frames, ${refused} refused, ${rate}/s, at most ${mib} MiB resident\n`,
      );
    }
  });
});

describe('a hostile length', () => {
  const prefix = Buffer.from('0081a7456e7472696573', 'hex'); // {Entries: …
  const refusals: readonly (readonly [string, string, string])[] = [
    ['array of 2^32 - 1', 'ddffffffff', 'longer than'],
    ['array of 100,000 within the limit of bytes', 'dd000186a0', 'more than'],
    ['map of 2^32 - 1', 'dfffffffff', 'longer than'],
    ['raw of 2^32 - 1', 'dbffffffff', 'longer than'],
    ['bin of 2^32 - 1', 'c6ffffffff', 'longer than'],
    ['ext of 2^32 - 1', 'c9ffffffff', 'longer than'],
    ['arrays 17 deep', '91'.repeat(17), 'deeper than'],
    ['the byte that is none', 'c1', 'begins no value'],
  ];
  for (const [what, hex, message] of refusals) {
    it(`${what} is refused by its header`, () => {
      const reader = createRequestReader();
      reader.push(Buffer.concat([prefix, Buffer.from(hex, 'hex')]));
      expect(() => reader.next()).to.throw(WireError, message);
    });
  }

  it('of 60 MiB that never comes takes no memory', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 100 }, () => {
      const reader = createRequestReader();
      reader.push(Buffer.concat([prefix, Buffer.from('db03c00000', 'hex'), Buffer.alloc(100)]));
      expect(reader.next()).to.equal(undefined);
      reader.push(Buffer.alloc(100));
      expect(reader.next()).to.equal(undefined);
      return reader;
    });
    expect(readers).to.have.length(100);
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(4 * 1024 * 1024);
  });

  it('65,536 empty entries in one frame are as many as there may be', () => {
    const most = Buffer.concat([
      prefix,
      Buffer.from('dd00010000', 'hex'),
      Buffer.alloc(65_536, 0x80),
    ]);
    expect(decodeRequest(most).body).to.have.property('Entries').with.length(65_536);
  });
});
