import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { withDolbyVision, withObjects, type DolbyVision } from '#test/dolby.ts';
import {
  beside,
  ffmpeg,
  h264,
  hdr10,
  headOf,
  hevc,
  picture,
  probeOf,
  sameAsFfprobe,
  sound,
  steady,
  ten,
  wide,
} from '#test/heads.ts';
import { needs } from '#test/needs.ts';
import { trueHd } from '#test/truehd.ts';

/** How the pictures are made that Dolby Vision is told of. */
const made = {
  plain: [...hevc, 'log-level=none', ...ten],
  pq: [...hevc, `${wide}:transfer=smpte2084`, ...ten],
  hdr10: [...hevc, `${wide}:hdr10=1:${hdr10}`, ...ten],
  hlg: [...hevc, `${wide}:transfer=arib-std-b67`, ...ten],
};

interface Case extends DolbyVision {
  readonly of: keyof typeof made;
  readonly by: 'head' | 'ffprobe';
  /** In our words. */
  readonly told: string;
}

const cases: readonly Case[] = [
  { of: 'plain', profile: 5, base: 0, entry: 'dvh1', by: 'head', told: '5' },
  { of: 'plain', profile: 5, base: 0, entry: 'dvhe', by: 'head', told: '5' },
  { of: 'plain', profile: 5, base: 0, by: 'head', told: '5' },
  { of: 'hdr10', profile: 7, base: 6, hasEnhancement: true, by: 'head', told: '7.6' },
  { of: 'pq', profile: 7, base: 6, hasEnhancement: true, by: 'head', told: '7.6' },
  { of: 'hdr10', profile: 8, base: 1, by: 'head', told: '8.1' },
  { of: 'hdr10', profile: 8, base: 2, by: 'head', told: '8.2' },
  { of: 'hlg', profile: 8, base: 4, by: 'head', told: '8.4' },
  // MediaInfo tells these alike.
  { of: 'pq', profile: 8, base: 1, by: 'ffprobe', told: '8.1' },
  { of: 'pq', profile: 8, base: 0, by: 'ffprobe', told: '8' },
  { of: 'hdr10', profile: 8, base: 0, by: 'ffprobe', told: '8' },
  { of: 'hdr10', profile: 8, base: 3, by: 'ffprobe', told: '8.3' },
];

describe('reading what Dolby’s kinds of film say in their heads', function () {
  needs('ffmpeg', 'ffprobe');
  let folder: string;
  const at = (name: string) => join(folder, name);
  const joined = (stream: string, name: string) => beside(at('picture.mp4'), at(stream), at(name));
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-dolby-'));
    ffmpeg(...picture, ...h264, ...steady, at('picture.mp4'));
  });
  after(() => rmSync(folder, { recursive: true }));

  describe('Dolby Vision', () => {
    before(() => {
      for (const [name, args] of Object.entries(made)) {
        ffmpeg(...picture, ...args, at(`${name}.mp4`));
      }
    });
    for (const [nth, { of, by, told, ...vision }] of cases.entries()) {
      const { profile, base, entry = 'hev1' } = vision;
      it(`${profile} on ${base}, ${entry}, ${of}: told by ${by}`, async () => {
        const paths = [at(`vision-${nth}.mp4`)];
        writeFileSync(paths[0]!, withDolbyVision(readFileSync(at(`${of}.mp4`)), vision));
        // In Matroska it is told by an addition to the blocks, whatever the entry's name was.
        if (entry !== 'dvh1') {
          paths.push(at(`vision-${nth}.mkv`));
          ffmpeg('-i', paths[0]!, '-c', 'copy', '-strict', 'unofficial', paths[1]!);
        }
        for (const path of paths) {
          const read = by === 'head' ? await sameAsFfprobe(path) : await probeOf(path);
          if (by !== 'head') expect(await headOf(path), path).to.equal(undefined);
          const wanted = { hdr: 'DolbyVision', dolbyVisionProfile: told };
          expect(read.streams[0], path).to.include(wanted);
        }
      });
    }
  });

  for (const ending of ['mkv', 'mp4', 'ts', 'm2ts']) {
    it(`objects in E-AC-3, in .${ending}`, async () => {
      ffmpeg(...sound('5.1'), '-c:a', 'eac3', '-b:a', '384k', at('plain.eac3'));
      writeFileSync(at('objects.eac3'), withObjects(readFileSync(at('plain.eac3'))));
      const head = await sameAsFfprobe(joined('objects.eac3', `objects.${ending}`));
      expect(head.streams[1]).to.include({ profile: 'Dolby Digital Plus + Dolby Atmos' });
    });
  }

  for (const ending of ['mkv', 'mp4']) {
    for (const hasObjects of [false, true]) {
      it(`eight channels of TrueHD${hasObjects ? ' and objects' : ''}, in .${ending}`, async () => {
        writeFileSync(at('eight.thd'), trueHd({ hasObjects }));
        const head = await sameAsFfprobe(joined('eight.thd', `eight.${ending}`));
        const profile = hasObjects ? 'Dolby TrueHD + Dolby Atmos' : undefined;
        expect(head.streams[1]).to.include({ channels: 8, channelLayout: '7.1', profile });
      });
    }
  }
});
