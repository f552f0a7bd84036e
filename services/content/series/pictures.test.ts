import { expect } from 'chai';
import { episodePictures, seasonOfPicture, seasonPictures } from './pictures.ts';

describe('pictures of seasons and episodes', () => {
  const seasons: [string, number | undefined][] = [
    ['Dark/season01-poster.jpg', 1],
    ['Dark/Season 2.jpg', 2],
    ['Dark/season-specials-banner.png', 0],
    ['Dark/season-all-poster.jpg', undefined],
    ['Dark/Season 1/poster.jpg', 1],
    ['Dark/Staffel 3/folder.jpg', 3],
    ['Dark/Specials/fanart.jpg', 0],
    ['Dark/Dark Season 4/poster.jpg', 4],
    ['Dark/poster.jpg', undefined],
    ['Dark/Season 1/Dark S01E01-thumb.jpg', undefined],
    ['Dark/Season 1/holiday.jpg', undefined],
    ['poster.jpg', undefined],
  ];
  for (const [path, wanted] of seasons) {
    it(`${path} is of season ${wanted}`, () => expect(seasonOfPicture(path)).to.equal(wanted));
  }

  it('are what their names say', () => {
    const typeOf = (path: string) => seasonPictures.readName(path, [])?.type;
    expect(typeOf('D/season01-poster.jpg')).to.equal('poster');
    expect(typeOf('D/season01-fanart.jpg')).to.equal('backdrop');
    expect(typeOf('D/season01.jpg')).to.equal('poster');
    expect(typeOf('D/Season 1/folder.jpg')).to.equal('poster');
    expect(typeOf('D/Season 1/landscape.jpg')).to.equal('thumb');
    const ofEpisode = (path: string) => episodePictures.readName(path, ['D S01E01'])?.type;
    expect(ofEpisode('D/D S01E01.jpg')).to.equal('thumb');
    expect(ofEpisode('D/D S01E01-thumb.jpg')).to.equal('thumb');
    expect(ofEpisode('D/D S01E01-poster.jpg')).to.equal('poster');
  });
});
