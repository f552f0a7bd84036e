import { expect } from 'chai';
import { chooseImages, type Candidate } from './choose.ts';
import { readAttachedName, readImageName, type ImageType } from './names.ts';
import { chooseFormat, snapWidth, widths } from './negotiate.ts';

describe('names of pictures', () => {
  const stems = ['Heat (1995)', 'The Lego Movie'];
  const table: [path: string, type: ImageType | undefined][] = [
    ['poster.jpg', 'poster'],
    ['Heat/folder.PNG', 'poster'],
    ['Heat/Cover.jpg', 'poster'],
    ['Heat/movie.webp', 'poster'],
    ['Heat/poster2.jpg', 'poster'],
    ['Heat/Heat (1995)-poster.jpg', 'poster'],
    ['Heat/HEAT (1995).poster.jpg', 'poster'],
    ['Heat/Heat (1995).jpg', 'poster'],
    ['Lego/The Lego Movie.jpg', 'poster'],
    ['Lego/The Lego Movie-fanart.jpg', 'backdrop'],
    ['Heat/fanart.jpg', 'backdrop'],
    ['Heat/fanart-1.jpg', 'backdrop'],
    ['Heat/backdrop12.jpg', 'backdrop'],
    ['Heat/background.jpg', 'backdrop'],
    ['Heat/extrafanart/anything.jpg', 'backdrop'],
    ['Heat/logo.png', 'logo'],
    ['Heat/clearlogo.png', 'logo'],
    ['Heat/banner.jpg', 'banner'],
    ['Heat/disc.png', 'disc'],
    ['Heat/Heat (1995)-discart.png', 'disc'],
    ['Heat/landscape.jpg', 'thumb'],
    ['Heat/Heat (1995)-thumb.jpg', 'thumb'],
    ['Heat/season01-poster.jpg', undefined],
    ['Heat/Another Film-poster.jpg', undefined],
    ['Heat/IMG_0001.jpg', undefined],
    ['Heat/clearart.png', undefined],
    ['Heat/postern.jpg', undefined],
    ['Heat/.jpg', undefined],
    ['', undefined],
  ];
  for (const [path, type] of table) {
    it(`${path || 'nothing'} is ${type ?? 'nothing'}`, () => {
      expect(readImageName(path, stems)?.type).to.equal(type);
    });
  }

  it('go before each other as surely as they say what they are', () => {
    const names = [
      'Heat (1995)-poster.jpg',
      'Heat (1995)-folder.jpg',
      'Heat (1995).jpg',
      'poster.jpg',
      'folder.jpg',
      'poster1.jpg',
      'poster2.jpg',
    ];
    const ranks = names.map((name) => readImageName(name, stems)?.rank ?? NaN);
    expect(ranks).to.deep.equal([...ranks].sort((a, b) => a - b));
    expect(new Set(ranks).size).to.equal(names.length);
  });

  const attached: [name: string | undefined, width: number, height: number, type: ImageType][] = [
    ['cover.jpg', 600, 900, 'poster'],
    ['cover.jpg', 1_920, 1_080, 'thumb'],
    ['cover_land.jpg', 1_280, 720, 'thumb'],
    ['fanart.jpg', 1_920, 1_080, 'backdrop'],
    ['logo.png', 800, 300, 'logo'],
    [undefined, 500, 500, 'poster'],
    [undefined, 600, 900, 'poster'],
    [undefined, 900, 600, 'thumb'],
  ];
  for (const [name, width, height, type] of attached) {
    it(`${name} of ${width} × ${height} inside a film is ${type}`, () => {
      expect(readAttachedName(name, { width, height })).to.equal(type);
    });
  }
});

describe('the choice of pictures', () => {
  const candidate = (id: string, rest: Partial<Candidate> = {}): Candidate => ({
    id,
    type: 'poster',
    source: 'local',
    rank: 0,
    width: 100,
    isChosenByUser: false,
    isLost: false,
    ...rest,
  });
  const table: [name: string, images: Candidate[], chosen: string[]][] = [
    ['nothing of nothing', [], []],
    [
      'what is there before what is lost',
      [candidate('a', { isChosenByUser: true, isLost: true }), candidate('b')],
      ['b'],
    ],
    [
      'what is lost where nothing else is',
      [candidate('a', { isChosenByUser: true, isLost: true }), candidate('b', { isLost: true })],
      ['a'],
    ],
    ['one of each type', [candidate('a'), candidate('b', { type: 'logo' })], ['a', 'b']],
    [
      'by source',
      [
        candidate('a', { source: 'frame' }),
        candidate('b', { source: 'embedded' }),
        candidate('c', { source: 'local' }),
        candidate('d', { source: 'provider' }),
      ],
      ['c'],
    ],
    ['by rank', [candidate('a', { rank: 2 }), candidate('b', { rank: 1 })], ['b']],
    ['by size', [candidate('a'), candidate('b', { width: 200 })], ['b']],
    [
      'by a person before all else',
      [candidate('a'), candidate('b', { source: 'frame', rank: 9, isChosenByUser: true })],
      ['b'],
    ],
  ];
  for (const [name, images, chosen] of table) {
    it(name, () => {
      expect([...chooseImages(images)]).to.have.members(chosen);
      expect([...chooseImages(images.toReversed())]).to.have.members(chosen);
    });
  }
});

describe('what a client is sent', () => {
  const browser = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8';
  const table: [accept: string | undefined, type: ImageType, format: string | undefined][] = [
    [browser, 'poster', 'webp'],
    ['image/avif,*/*;q=0.1', 'poster', 'avif'],
    ['image/webp;q=0, */*', 'poster', 'jpeg'],
    ['*/*', 'poster', 'jpeg'],
    ['*/*', 'logo', 'webp'],
    ['image/*', 'poster', 'jpeg'],
    [undefined, 'poster', 'jpeg'],
    ['', 'disc', 'webp'],
    ['image/jpeg', 'logo', 'jpeg'],
    ['image/png', 'poster', undefined],
    ['text/html', 'poster', undefined],
    ['*/*;q=0', 'poster', undefined],
    [';;,=', 'poster', undefined],
  ];
  for (const [accept, type, format] of table) {
    it(`${type} for ${accept ?? 'no Accept'}: ${format ?? 'nothing'}`, () => {
      expect(chooseFormat(accept, type)).to.equal(format);
    });
  }

  it('comes in few widths, never larger than need be', () => {
    for (let asked = 1; asked <= 4_000; asked += 7) {
      const width = snapWidth(asked, 1_000);
      expect(widths).to.include(width);
      expect(width).to.be.at.most(1_280);
      if (asked <= 1_000) expect(width).to.be.at.least(asked);
    }
    expect(snapWidth(undefined, 5_000)).to.equal(1_280);
    expect(snapWidth(16_000, 9_000)).to.equal(3_840);
    expect(snapWidth(1_280, 90)).to.equal(96);
  });
});
