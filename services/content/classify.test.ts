import { expect } from 'chai';
import { splitName } from '../naming/extensions.ts';
import { classify, ignores } from './classify.ts';
import { extraTypeOf, readPlace } from '../naming/places.ts';
import { readSubtitleTail } from '../naming/subtitles.ts';

const at = (path: string, sizeBytes = 5_000_000_000) => {
  const slash = path.lastIndexOf('/');
  return { directory: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1), sizeBytes };
};

describe('classifying files of a film library', () => {
  const roles: [path: string, role: string | undefined][] = [
    ['Up (2009)/Up (2009).mkv', 'video'],
    ['Up.mkv', 'video'],
    ['Up (2009)/Up (2009).srt', 'subtitle'],
    ['Up (2009)/movie.nfo', 'nfo'],
    ['Up (2009)/.plexmatch', 'nfo'],
    ['Up (2009)/poster.jpg', 'image'],
    ['Up (2009)/Up-trailer.mp4', 'extra'],
    ['Up (2009)/Extras/any.mkv', 'extra'],
    ['Up (2009)/Extras/deep/any.mkv', 'extra'],
    ['Up (2009)/theme.mp3', 'extra'],
    ['Up (2009)/backdrops/a.mp4', 'extra'],
    ['Up (2009)/commentary.mka', 'audio'],
    ['Shorts/Bao (2018).mkv', 'video'],
    ['Pixar/Shorts/Bao.mkv', 'extra'],
    ['Up (2009)/readme.txt', undefined],
    ['Up (2009)/.hidden.mkv', undefined],
    ['Up (2009)/._Up.mkv', undefined],
    ['Up (2009)/Thumbs.db', undefined],
    ['Up (2009)/small.jpg', undefined],
    ['Ran/VIDEO_TS/VTS_01_1.VOB', 'video'],
    ['Ran/VIDEO_TS/VTS_01_0.VOB', undefined],
    ['Ran/VIDEO_TS/VIDEO_TS.IFO', undefined],
    ['Matrix/BDMV/STREAM/00001.m2ts', 'video'],
    ['Matrix/BDMV/index.bdmv', undefined],
  ];
  for (const [path, role] of roles) {
    it(`${path} is ${role ?? 'nothing'}`, () => expect(classify(at(path))).to.equal(role));
  }

  it('leaves out small samples only', () => {
    expect(classify(at('Up (2009)/up-sample.mkv', 40_000_000))).to.equal(undefined);
    expect(classify(at('Up (2009)/sample/x.mkv', 40_000_000))).to.equal(undefined);
    expect(classify(at('The.Sample.mkv'))).to.equal('video');
    expect(classify(at('the sample/the sample.mkv', 1_000))).to.equal('video');
  });

  it('ignores rubbish and hidden folders', () => {
    for (const name of [
      '@eaDir',
      '#recycle',
      '$RECYCLE.BIN',
      'lost+found',
      '.Trash-1000',
      '.zfs',
    ]) {
      expect(ignores({ path: name, name }), name).to.equal(true);
    }
    for (const name of ['Action', 'BDMV', 'STREAM', 'VIDEO_TS', 'Extras', 'B.A.R.']) {
      expect(ignores({ path: name, name }), name).to.equal(false);
    }
  });
});

describe('kinds of extras', () => {
  const types: [path: string, type: string | undefined][] = [
    ['F/trailer.mp4', 'trailer'],
    ['F/300_trailer.mp4', 'trailer'],
    ['F/300 - trailer.mp4', 'trailer'],
    ['F/300-trailer2.mp4', 'trailer'],
    ['F/stuff trailerthings.mkv', undefined],
    ['F/300-scene2.mp4', 'scene'],
    ['F/300-clip.mp4', 'clip'],
    ['F/300-deletedscene.mp4', 'deletedScene'],
    ['F/300-behindthescenes.mp4', 'behindTheScenes'],
    ['F/300-featurette.mp4', 'featurette'],
    ['F/300-short.mp4', 'short'],
    ['F/300-extra.mp4', 'extra'],
    ['F/behind the scenes/300.mp4', 'behindTheScenes'],
    ['F/Deleted Scenes/300.mp4', 'deletedScene'],
    ['F/backdrops/x.mkv', 'themeVideo'],
    ['F/other/x.mkv', 'extra'],
    ['F/gibberish/300.mp4', undefined],
    ['F/not a scene/300.mp4', undefined],
    ['F/The Big Short/300.mp4', undefined],
    ['F/The DNA Sample.mp4', undefined],
  ];
  for (const [path, type] of types) {
    it(`${path} is ${type ?? 'none'}`, () => {
      const { directory, name } = at(path);
      const { stem } = splitName(name);
      expect(extraTypeOf({ directory, stem, isVideo: true })).to.equal(type);
    });
  }
});

describe('places in a film library', () => {
  const places: [path: string, expected: object][] = [
    ['', { owner: '' }],
    ['Action/Heat (1995)', { owner: 'Action/Heat (1995)', part: undefined }],
    ['Heat (1995)/CD2', { owner: 'Heat (1995)', part: 2 }],
    ['A/Sound (1965) (Disc 01)', { owner: 'A/Sound (1965)', part: 1 }],
    ['A/Sound (1965) (Disc 01)/VIDEO_TS', { owner: 'A/Sound (1965)', part: 1, disc: 'video_ts' }],
    ['Matrix/BDMV/STREAM', { owner: 'Matrix', disc: 'bdmv' }],
    ['Matrix/Subs/Matrix.1999', { owner: 'Matrix', isSubtitles: true }],
    ['Kill Bill Part 1', { owner: 'Kill Bill Part 1', part: undefined }],
    ['Disc 1', { owner: 'Disc 1', part: undefined }],
  ];
  for (const [path, expected] of places) {
    it(`'${path}'`, () => expect(readPlace(path)).to.include(expected));
  }
});

describe('names of subtitles', () => {
  const none = {
    language: undefined,
    title: undefined,
    forced: false,
    default: false,
    hearingImpaired: false,
  };
  const tails: [tail: string, facts: object][] = [
    ['', {}],
    ['.default', { default: true }],
    ['.foreign', { forced: true }],
    ['.DEFAULT.FORCED', { default: true, forced: true }],
    ['.hi', { language: 'hi' }],
    ['.en.hi', { language: 'en', hearingImpaired: true }],
    ['.hi.en.title', { language: 'en', hearingImpaired: true, title: 'title' }],
    ['.sdh.en.title', { language: 'en', hearingImpaired: true, title: 'title' }],
    ['.en.fr', { language: 'fr', title: 'en' }],
    ['.title.en.fr', { language: 'fr', title: 'title.en' }],
    ['.Subs for Chinese Audio.eng', { language: 'en', title: 'Subs for Chinese Audio' }],
    ['.pt-BR', { language: 'pt' }],
    [' [German]', { language: 'de' }],
    ['2_English', { language: 'en' }],
    ['.ger.cc', { language: 'de', hearingImpaired: true }],
  ];
  for (const [tail, facts] of tails) {
    it(`'${tail}'`, () => expect(readSubtitleTail(tail)).to.deep.equal({ ...none, ...facts }));
  }
});
