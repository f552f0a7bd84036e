import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { specOf } from '#test/http.ts';
import type { Reason } from '../known-reasons.ts';
import { reasonOf, reasons } from './reasons.ts';

const sources = ['storage/media', 'services/library']
  .flatMap((dir) => readdirSync(dir).map((name) => `${dir}/${name}`))
  .filter((path) => /\.ts$/.test(path) && !/(\.test|reasons)\.ts$/.test(path))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

/** What is kept, its code, and the words of our own in it, as they stand in our sources. */
const known: readonly [string, Reason['code'], string?, Reason['values']?][] = [
  ['it is not there', 'notThere', "'it is not there'"],
  [
    'the folder is empty, although it held files: is its share mounted?',
    ...(['empty', 'the folder is empty, although it held files'] as const),
  ],
  [
    'another device is mounted here, and nothing on it is known',
    ...(['otherDevice', 'another device is mounted here'] as const),
  ],
  ['the mount does not answer', 'noAnswer', "'the mount does not answer'"],
  ['the media did not answer in time', 'noAnswer', "'the media did not answer in time'"],
  ['ENOENT: no such file or directory', 'gone'],
  [
    'the root cannot be read: ENOENT: no such file or directory',
    ...(['gone', 'the root cannot be read: ${'] as const),
  ],
  ['EACCES: permission denied', 'forbidden'],
  ['EIO: i/o error', 'broken'],
  ['the folder has more than 9 entries', 'tooMany', 'the folder has more than ${', { count: 9 }],
  ['the path is too long', 'pathTooLong', "'the path is too long'"],
  ['a special file', 'special', "'a special file'"],
  ['broken link', 'brokenLink', "'broken link'"],
  ['link out of the library', 'linkOut', "'link out of the library'"],
  ['link loop', 'linkLoop', "'link loop'"],
  ['link to a folder behind a link', 'linkBehind', "'link to a folder behind a link'"],
  [
    'what it leaves out could not be read: more than 9 bytes',
    ...(['ignoring', 'what it leaves out could not be read: ${'] as const),
    { why: 'more than 9 bytes' },
  ],
  ['the file is empty', 'fileEmpty', "'the file is empty'"],
  ['no streams in it', 'noStreams', "'no streams in it'"],
  ['a playlist in disguise, not a media file', 'playlist', "'a playlist in disguise,"],
  ['not a media file: a\nb', 'notMedia', 'not a media file: ${', { why: 'a\nb' }],
  ['keyframes: x', 'keyframes', "'keyframes: '", { why: 'x' }],
  ['loudness: x', 'loudness', "'loudness: '", { why: 'x' }],
  [
    'two servers say what lies here: radarr (Heat (1995)), which said so first and is believed, ' +
      'and radarr 2 (Heat)',
    ...(['twoServers', 'two servers say what lies here: %s (%s), which said so first'] as const),
    { first: 'radarr', firstTitle: 'Heat (1995)', other: 'radarr 2', otherTitle: 'Heat' },
  ],
];

describe('why something could not be taken in', () => {
  for (const [sentence, code, words, values = {}] of known) {
    it(`is known by a code: ${code}`, () => {
      expect(reasonOf(sentence)).to.deep.equal({ code, values });
      if (words !== undefined) expect(sources).to.include(words);
    });
  }

  it('has its own words where it is anything else', () => {
    for (const sentence of [
      '',
      'ENOTSUP: x',
      'ffprobe printed no JSON',
      'it is not there, or so',
    ]) {
      expect(reasonOf(sentence)).to.deep.equal({ code: 'other', values: {} });
    }
  });

  it('stands in the spec with all its codes', () => {
    const schemas = specOf('libraries').components?.['schemas'] as Record<
      string,
      { enum?: string[] }
    >;
    const all = [...Object.keys(reasons), 'other'];
    expect(schemas['LibraryReasonCode']?.enum).to.have.members(all);
    expect(new Set(known.map(([, code]) => code))).to.have.property('size', all.length - 1);
  });
});
