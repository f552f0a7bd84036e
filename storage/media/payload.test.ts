import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { headOf } from '#test/heads.ts';
import { needs } from '#test/needs.ts';
import { findPayload, type Payload } from './payload.ts';

const find = (bytes: Buffer, sizeBytes = bytes.length): Payload | undefined =>
  findPayload((offset, size) => bytes.subarray(offset, offset + size), sizeBytes);

const nowhere = { from: 500, to: 500, behind: [], unit: undefined };
const padded = (...parts: Buffer[]): Buffer =>
  Buffer.concat([...parts, Buffer.alloc(500)]).subarray(0, 500);

const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const number = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};

const inTransport = (to: number, packetBytes: number): Payload => {
  const from = (Math.floor(to / packetBytes) - 2_500) * packetBytes;
  return { from: 0, to: from, behind: [{ from, to }], unit: 'packet' };
};

describe('where the pictures of a file are', () => {
  const box = (kind: string, bytes: number): Buffer =>
    Buffer.concat([number(bytes, 4), text(kind), Buffer.alloc(bytes - 8)]);
  const list = (kind: string, bytes: number): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes);
    return Buffer.concat([text('LIST'), size, text(kind), Buffer.alloc(bytes - 4)]);
  };
  const riff = (kind: string, ...parts: Buffer[]): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(4 + Buffer.concat(parts).length);
    return Buffer.concat([text('RIFF'), size, text(kind), ...parts]);
  };
  const element = (id: number[], content: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from([...id, 0x40 + (content.length >> 8), content.length & 255]),
      content,
    ]);
  const header = element([0x1a, 0x45, 0xdf, 0xa3], Buffer.alloc(5));
  const segmentOf = (...parts: Buffer[]): Buffer =>
    Buffer.concat([header, Buffer.from('18538067ff', 'hex'), ...parts]);
  const cluster = element([0x1f, 0x43, 0xb6, 0x75], Buffer.alloc(40));
  const tags = element([0x12, 0x54, 0xc3, 0x67], Buffer.alloc(20));
  const seekTo = (id: string, place: number): Buffer => {
    const what = element([0x53, 0xab], Buffer.from(id, 'hex'));
    const where = element([0x53, 0xac], number(place, 2));
    return element([0x11, 0x4d, 0x9b, 0x74], element([0x4d, 0xbb], Buffer.concat([what, where])));
  };
  const seekBytes = seekTo('1254c367', 0).length;
  const start = header.length + 5;
  const behind = start + seekBytes + cluster.length;
  const transport = Buffer.alloc(188 * 20_000 + 7);
  for (let at = 0; at < transport.length; at += 188) transport[at] = 0x47;
  const disc = Buffer.alloc(192 * 20_000 + 7);
  for (let at = 4; at < disc.length; at += 192) disc[at] = 0x47;

  const files: [name: string, bytes: Buffer, found: Payload | undefined][] = [
    ['nothing', Buffer.alloc(0), undefined],
    ['something else', Buffer.alloc(500, 'x'), undefined],
    [
      'MP4',
      padded(box('ftyp', 24), box('moov', 40), box('mdat', 100)),
      { from: 72, to: 164, behind: [], unit: undefined },
    ],
    [
      'MP4 with a long size',
      padded(box('ftyp', 24), number(1, 4), text('mdat'), Buffer.from([0, 0, 0, 0, 0, 0, 1, 44])),
      { from: 40, to: 324, behind: [], unit: undefined },
    ],
    [
      'MP4 up to its end',
      padded(box('ftyp', 24), number(0, 4), text('mdat')),
      { from: 32, to: 500, behind: [], unit: undefined },
    ],
    ['MP4 in fragments', padded(box('ftyp', 24), box('moov', 40), box('moof', 40)), nowhere],
    ['MP4 that stands still', padded(box('ftyp', 24), number(4, 4), text('free')), nowhere],
    [
      'AVI',
      padded(riff('AVI ', list('hdrl', 40), list('movi', 300))),
      { from: 72, to: 368, behind: [], unit: undefined },
    ],
    [
      'AVI in parts',
      padded(riff('AVI ', list('hdrl', 40), list('movi', 100)), riff('AVIX')),
      { from: 72, to: 168, behind: [], unit: undefined },
    ],
    ['a transport stream', transport, inTransport(transport.length, 188)],
    ['a disc’s transport stream', disc, inTransport(disc.length, 192)],
    ['Matroska', padded(segmentOf(cluster)), { from: start, to: 500, behind: [], unit: 'block' }],
    [
      'Matroska with tags at its end',
      padded(segmentOf(seekTo('1254c367', behind - start), cluster, tags)),
      {
        ...{ from: start + seekBytes, to: 500, unit: 'block' },
        behind: [{ from: behind, to: behind + tags.length }],
      },
    ],
    [
      'Matroska with tags in front',
      padded(segmentOf(seekTo('1254c367', seekBytes), tags, cluster)),
      { from: start + seekBytes + tags.length, to: 500, behind: [], unit: 'block' },
    ],
    [
      'Matroska whose tags are elsewhere',
      padded(segmentOf(seekTo('1254c367', behind - start + 3), cluster, tags)),
      nowhere,
    ],
    ['Matroska with a second list', padded(segmentOf(seekTo('114d9b74', 90), cluster)), nowhere],
    ['Matroska without pictures', padded(segmentOf(tags)), nowhere],
  ];
  for (const [name, bytes, found] of files) {
    it(name, () => expect(find(bytes)).to.deep.equal(found));
  }

  it('comes to an end in whatever it is given', () => {
    const heads = ['1a45dfa3', '0000001866747970', '52494646ff00000041564920', '47', '0000000047'];
    const whole = fc.tuple(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 600 }));
    fc.assert(
      fc.property(whole, fc.maxSafeNat(), ([head, rest], sizeBytes) => {
        const found = find(Buffer.concat([Buffer.from(head, 'hex'), rest]), sizeBytes);
        if (found !== undefined) expect(found.from).to.be.at.least(0);
      }),
    );
  });
});

describe('reading what stands behind the pictures', function () {
  needs('ffmpeg');

  it('finds in Matroska the tags at its end, where mkvmerge writes them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'revenge-payload-'));
    try {
      const path = join(folder, 'film.mkv');
      makeFilm(path);
      const wanted = await headOf(path);
      expect(wanted?.streams).to.have.length(1);
      expect(wanted?.streams[0]).to.include({ codec: 'h264', bitrate: 1_234_567 });
      const moved = withTagsBehind(readFileSync(path));
      expect(find(moved)?.behind).to.have.length(1);
      writeFileSync(path, moved);
      expect((await headOf(path))?.streams).to.deep.equal(wanted?.streams);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** More than is read of pictures, and tags as mkvmerge counts bits with. */
function makeFilm(path: string): void {
  const noise = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:d=4,noise=alls=60:allf=t'];
  const tags = ['BPS=1234567', '_STATISTICS_TAGS=BPS', '_STATISTICS_WRITING_APP=Lavf'];
  const said = tags.flatMap((tag) => ['-metadata:s:v', tag]);
  const args = [...noise, '-c:v', 'libx264', '-preset', 'ultrafast', ...said];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args, path]);
}

/** A file of ffmpeg's with its tags moved to the end, and the list of what is where changed. */
function withTagsBehind(file: Buffer): Buffer {
  const bytes = Buffer.from(file);
  const segment = bytes.indexOf('18538067', 'hex') + 4 + 8;
  const list = bytes.indexOf('114d9b74', segment, 'hex');
  // The list's checksum holds no more.
  bytes[bytes.indexOf('bf84', list, 'hex')] = 0xec;
  const entry = bytes.indexOf('53ab841254c36753ac', list, 'hex') - 3;
  const index = bytes.indexOf('53ab841c53bb6b53ac', list, 'hex') - 3;
  const indexEnd = index + 3 + (bytes[index + 2]! & 0x7f);
  const tags = bytes.indexOf('1254c367', indexEnd, 'hex');
  const tagsSize = bytes.readUInt16BE(tags + 4) & 0x3fff;
  const moved = Buffer.from(bytes.subarray(tags, tags + 6 + tagsSize));
  const place = number(bytes.length - segment, 4);
  const found = Buffer.concat([Buffer.from('4dbb8e53ab841254c36753ac84', 'hex'), place]);
  found.copy(bytes, entry);
  const left = indexEnd - entry - found.length;
  Buffer.from([0xec, 0x80 + left - 2]).copy(bytes, entry + found.length);
  // Where they were is left empty.
  Buffer.from([0xec, 0x10, 0, 0, 0]).copy(bytes, tags);
  bytes.writeUInt16BE(moved.length - 5, tags + 3);
  bytes.writeUIntBE(file.length - segment + moved.length, segment - 6, 6);
  return Buffer.concat([bytes, moved]);
}
