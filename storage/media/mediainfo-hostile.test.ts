import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { ffmpeg, h264, headOf, picture, sound, steady } from '#test/heads.ts';
import { needs } from '#test/needs.ts';
import { readHead } from './head.ts';

/** One harm done to a file's bytes; where it is done is a share of their length. */
type Harm =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'set'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'copy'; readonly at: number; readonly to: number; readonly size: number };

/** What describes a file stands at its ends, and that is where harm is of interest. */
const place = fc.oneof(
  fc.double({ min: 0, max: 0.02, noNaN: true }),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0.98, max: 1, noNaN: true }),
);
const largest = fc.constantFrom(
  'ffffffff',
  '7fffffff',
  'ffffffffffffffff',
  '01ffffffffffffff',
  '00000000',
);
const harm: fc.Arbitrary<Harm> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({
    kind: fc.constant('set' as const),
    at: place,
    bytes: fc.uint8Array({ maxLength: 8 }),
  }),
  fc.record({
    kind: fc.constant('set' as const),
    at: place,
    bytes: largest.map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))),
  }),
  fc.record({
    ...{ kind: fc.constant('copy' as const), at: place, to: place },
    size: fc.integer({ min: 1, max: 5_000 }),
  }),
);

function harmed(file: Buffer, harms: readonly Harm[]): Buffer {
  let bytes = Buffer.from(file);
  for (const each of harms) {
    const at = Math.floor(each.at * bytes.length);
    if (each.kind === 'cut') bytes = bytes.subarray(0, at);
    else if (each.kind === 'set') bytes.set(each.bytes.subarray(0, bytes.length - at), at);
    else bytes.copy(bytes, Math.floor(each.to * bytes.length), at, at + each.size);
  }
  return bytes;
}

/** How often a file may be read: each time at most 64 kB. */
const readsMax = 10_000;

/** Reads a file's head; resolves to how often it asked the disk. */
async function readsOf(path: string): Promise<number> {
  const handle = await open(path);
  let turned = 0;
  try {
    const sizeBytes = (await handle.stat()).size;
    await readHead({ fd: handle.fd, sizeBytes, turns: { turn: () => (turned += 1) } });
    return turned / 2;
  } finally {
    await handle.close();
  }
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const hex = (value: string): Buffer => Buffer.from(value, 'hex');
const long = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
};
const box = (kind: string, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([long(content.length + 8), text(kind), content]);
};

const film = box('ftyp', text('isom\0\0\0\0isommp41'));
const matroska = hex('1a45dfa38b4282886d6174726f736b61' + '18538067ff');
/** A head that is packed, of which little says that it unfolds to much. */
const packed = (declared: number, bytes: number): Buffer =>
  Buffer.concat([
    film,
    box(
      'moov',
      box(
        'cmov',
        box('dcom', text('zlib')),
        box('cmvd', long(declared), deflateSync(Buffer.alloc(bytes))),
      ),
    ),
    box('mdat', Buffer.alloc(1_000)),
  ]);
/** A list of where things are that says of itself that it is somewhere. */
const circle = (at: number): Buffer =>
  Buffer.concat([
    matroska,
    hex(`114d9b74904dbb8d53ab84114d9b7453ac83${long(at).toString('hex').slice(2)}ec80`),
  ]);

const files: readonly (readonly [name: string, bytes: () => Buffer])[] = [
  ['nothing but noughts', () => Buffer.alloc(1_000_000)],
  ['a packed head that declares gigabytes', () => packed(1_500_000_000, 1_000)],
  ['a packed head that unfolds to 300 MB', () => packed(300_000_000, 300_000_000)],
  [
    'boxes of nothing without end',
    () => Buffer.concat([film, box('moov', Buffer.alloc(8_000_000, box('free'))), box('mdat')]),
  ],
  ['a box of more than there is', () => Buffer.concat([film, hex('ffffffff'), text('moov')])],
  [
    'elements of nothing without end',
    () => Buffer.concat([matroska, hex('1f43b675ff'), Buffer.alloc(9_000_000, hex('ec80'))]),
  ],
  [
    'clusters of nothing without end',
    () => Buffer.concat([matroska, Buffer.alloc(9_000_000, hex('1f43b67580'))]),
  ],
  ['segments in each other without end', () => Buffer.alloc(1_000_000, matroska)],
  ['a list that lists itself', () => circle(0)],
  ['a list that lists what is not there', () => circle(0xff_ff_ff)],
  [
    'an AVI of nothing without end',
    () =>
      Buffer.concat([
        text('RIFF\xff\xff\xff\xffAVI '),
        Buffer.alloc(1_000_000, text('LIST\x04\0\0\0hdrl')),
      ]),
  ],
  [
    'packets of nothing',
    () => Buffer.alloc(1_000_000, Buffer.concat([hex('47'), Buffer.alloc(187)])),
  ],
];

describe('a file that means harm', function () {
  needs('ffmpeg');
  let folder: string;
  const at = (name: string) => join(folder, name);
  const whole = new Map<string, Buffer>();
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-hostile-'));
    const mpeg4 = ['-c:v', 'mpeg4', '-c:a', 'libmp3lame'];
    const disc = [...h264, ...steady, '-c:a', 'ac3'];
    ffmpeg(...picture, ...sound('stereo'), ...h264, '-c:a', 'aac', at('film.mkv'));
    ffmpeg(...picture, ...sound('stereo'), ...h264, '-c:a', 'aac', at('film.mp4'));
    ffmpeg(...picture, ...sound('stereo'), ...mpeg4, at('film.avi'));
    ffmpeg(...picture, ...sound('stereo'), ...disc, at('film.ts'));
    ffmpeg(...picture, ...sound('5.1'), ...disc, at('film.m2ts'));
    for (const ending of ['mkv', 'mp4', 'avi', 'ts', 'm2ts']) {
      whole.set(ending, readFileSync(at(`film.${ending}`)));
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const ending of ['mkv', 'mp4', 'avi', 'ts', 'm2ts']) {
    it(`.${ending}: is read to an end, without a throw, and not for long`, async () => {
      const harms = fc.array(harm, { minLength: 1, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(harms, async (each) => {
          writeFileSync(at('harmed'), harmed(whole.get(ending)!, each));
          expect(await readsOf(at('harmed'))).to.be.below(readsMax);
        }),
        { numRuns: 100 },
      );
      expect((await headOf(at(`film.${ending}`)))?.streams).to.have.length(2);
    });
  }

  for (const [name, bytes] of files) {
    it(`${name}: is left, and takes no memory`, async () => {
      writeFileSync(at('made'), bytes());
      const before = process.memoryUsage().external;
      expect(await readsOf(at('made'))).to.be.below(readsMax);
      expect(process.memoryUsage().external - before).to.be.below(300_000_000);
      expect((await headOf(at('film.mkv')))?.streams).to.have.length(2);
    });
  }
});
