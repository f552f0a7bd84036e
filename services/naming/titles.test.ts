import { expect } from 'chai';
import { derive, resolutionClass } from '../content/movie/derive.ts';
import { identityKey, sortTitle, titleKey } from './titles.ts';

describe('titles as keys', () => {
  const sorted: [title: string, language: string, key: string][] = [
    ['The Matrix', 'en', 'matrix'],
    ['A Movie: Part 2', 'en', 'movie part 0000000002'],
    ['Die Hard', 'en', 'die hard'],
    ['Die Welle', 'de', 'welle'],
    ["L'Avventura", 'fr', 'lavventura'],
    ['Amélie', 'en', 'amelie'],
    ['Ærø', 'en', 'aero'],
    ['The', 'en', 'the'],
    ['(500) Days', 'en', '0000000500 days'],
    ['千と千尋', 'ja', '千と千尋'],
    ['!!!', 'en', '!!!'],
  ];
  for (const [title, language, key] of sorted) {
    it(`'${title}' sorts as '${key}'`, () => expect(sortTitle(title, language)).to.equal(key));
  }

  it('are the same for spellings of one title', () => {
    for (const title of [
      'Spider-Man: Homecoming',
      'spider man homecoming',
      'Spider.Man_Homecoming',
    ]) {
      expect(titleKey(title)).to.equal('spider man homecoming');
    }
    expect(titleKey('Fast & Furious')).to.equal(titleKey('Fast and Furious'));
    expect(identityKey('Léon', 1994)).to.equal('leon|1994');
    expect(identityKey('Léon', undefined)).to.equal('leon|');
  });
});

describe('what is derived from files', () => {
  const classes: [width: number, height: number, expected: string][] = [
    [3840, 2160, '2160p'],
    [3840, 1600, '2160p'],
    [1920, 800, '1080p'],
    [1440, 1080, '1080p'],
    [1280, 544, '720p'],
    [720, 576, '480p'],
    [720, 304, '480p'],
    [352, 288, 'SD'],
  ];
  for (const [width, height, expected] of classes) {
    it(`${width}×${height} is ${expected}`, () => {
      expect(resolutionClass(width, height)).to.equal(expected);
    });
  }

  it('adds up parts, takes the longest version, and the name until the probe', () => {
    const file = {
      stackId: null,
      sizeBytes: 10,
      isAuxiliary: false,
      nameResolution: null,
      durationMs: null,
      streams: null,
    };
    const sound = {
      type: 'audio' as const,
      codec: 'aac',
      width: null,
      height: null,
      hdr: null,
      language: 'ger',
    };
    const picture = { ...sound, type: 'video' as const, codec: 'hevc', width: 1920, height: 1080 };
    expect(
      derive([
        { ...file, id: 'a', stackId: 'a', durationMs: 50, streams: [picture, sound] },
        { ...file, id: 'b', stackId: 'a', durationMs: 60, streams: [] },
        { ...file, id: 'c', durationMs: 100, nameResolution: '2160p' },
        { ...file, id: 'd', isAuxiliary: true, durationMs: 900 },
      ]),
    ).to.deep.equal({
      resolutions: ['1080p', '2160p'],
      videoCodecs: ['hevc'],
      hdrKinds: ['SDR'],
      audioLanguages: ['de'],
      durationMs: 110,
      sizeBytes: 40,
    });
  });
});
