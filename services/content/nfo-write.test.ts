import { expect } from 'chai';
import fc from 'fast-check';
import { isOurs, marked } from '../nfo/mark.ts';
import { listed, plain } from '../nfo/write.ts';
import { filmNfo } from './movie/nfo-write.ts';
import { emptyFilm, readNfo, type NfoFilm } from './movie/nfo.ts';
import { episodesNfo, showNfo } from './series/nfo-write.ts';
import {
  emptyShow,
  readEpisodeNfo,
  readShowNfo,
  type NfoEpisode,
  type NfoShow,
} from './series/nfo.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Texts with what XML, entities and lists could trip over. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom('&', '<', '>', '"', "'", '&amp;', '&#x41;', ']]>', '<!--', '-->', '|', ' / '),
      fc.constantFrom('\n', '\t', ' ', '\r\n', '\u0000', '\ud83d', '🎬', 'ß', 'Ünïcode'),
      fc.string({ unit: 'binary', maxLength: 6 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));
const said = anyText.map((text) => (plain(text) === '' ? undefined : plain(text)));
const names = fc
  .array(anyText, { maxLength: 5 })
  .map((list) => [...new Set(list.map(listed))].filter((name) => name !== ''));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const day = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const year = fc.integer({ min: 1870, max: 2200 });
const number = fc.integer({ min: 1, max: 99_999_999 }).map(String);
const ids = fc.record(
  { imdb: number.map((id) => `tt${id.padStart(7, '0')}`), tmdb: number, tvdb: number },
  { requiredKeys: [] },
);
/** A date says the year, where nothing else does. */
const dated = <T extends { year: number | undefined }>(work: T, date: string | undefined): T => ({
  ...work,
  year: work.year ?? (date === undefined ? undefined : Number(date.slice(0, 4))),
});

const people = {
  ...{ directors: names, writers: names },
  actors: fc
    .array(fc.record({ name: said, character: anyText.map(plain) }), { maxLength: 4 })
    .map((list) =>
      list.flatMap(({ name, character }, position) =>
        name === undefined ? [] : [{ name, character, position }],
      ),
    ),
};

const film: fc.Arbitrary<NfoFilm> = fc
  .record({
    ...{ title: said, originalTitle: said, sortTitle: said, overview: said, tagline: said },
    ...{ certification: said, collection: said, genres: names, tags: names, studios: names },
    ...{ ...people, ids, year: maybe(year), releaseDate: maybe(day) },
    runtimeMs: maybe(fc.integer({ min: 1, max: 9_999 }).map((minutes) => minutes * 60_000)),
    ratings: fc.uniqueArray(
      fc.record({
        source: fc.constantFrom('imdb', 'themoviedb', 'trakt'),
        score: fc.integer({ min: 1, max: 1_000 }).map((hundredths) => hundredths / 100),
        votes: maybe(fc.integer({ min: 0, max: 999_999_999 })),
      }),
      { selector: ({ source }) => source },
    ),
  })
  .map((one) => dated(one, one.releaseDate));

const show: fc.Arbitrary<NfoShow> = fc
  .record({
    ...{ title: said, originalTitle: said, sortTitle: said, overview: said },
    status: said.map((text) => (text === undefined || text.length > 60 ? undefined : text)),
    ...{ certification: said, genres: names, studios: names, ids },
    ...{ ...people, year: maybe(year), premiered: maybe(day) },
  })
  .map((one) => dated(one, one.premiered));

const count = fc.integer({ min: 0, max: 9_999 });
const episodes: fc.Arbitrary<NfoEpisode[]> = fc.array(
  fc.record({ title: said, season: count, episode: count, aired: maybe(day), overview: said }),
  { minLength: 1, maxLength: 4 },
);

/** "Rated" is no part of a certification, says the reader. */
const isPlainRating = ({ certification }: { certification: string | undefined }): boolean =>
  !/^rated\s/i.test(certification ?? '');

describe('an NFO that is written', () => {
  it('says of a film what the reader reads', () => {
    fc.assert(
      fc.property(film.filter(isPlainRating), (one) => {
        expect(readNfo(bytesOf(marked(filmNfo(one)))).film).to.deep.equal(one);
      }),
      { numRuns: 500 },
    );
  });

  it('says of a series what the reader reads', () => {
    fc.assert(
      fc.property(show.filter(isPlainRating), (one) => {
        expect(readShowNfo(bytesOf(marked(showNfo(one)))).show).to.deep.equal(one);
      }),
      { numRuns: 500 },
    );
  });

  it('says of episodes what the reader reads', () => {
    fc.assert(
      fc.property(episodes, (list) => {
        expect(readEpisodeNfo(bytesOf(marked(episodesNfo(list))))).to.deep.equal(list);
      }),
      { numRuns: 500 },
    );
  });

  it('is in the form that others read', () => {
    const heat = {
      ...{ ...emptyFilm, title: 'Heat & Co', year: 1995, genres: ['Crime', 'Drama'] },
      ...{ ids: { imdb: 'tt0113277', tmdb: '949' }, runtimeMs: 170 * 60_000 },
      ratings: [{ source: 'imdb', score: 8.3, votes: 700 }],
      actors: [{ name: 'Al Pacino', character: 'Vincent Hanna', position: 0 }],
    };
    expect(filmNfo(heat)).to.equal(`<movie>
  <title>Heat &amp; Co</title>
  <ratings>
    <rating name="imdb" max="10">
      <value>8.3</value>
      <votes>700</votes>
    </rating>
  </ratings>
  <runtime>170</runtime>
  <uniqueid type="imdb">tt0113277</uniqueid>
  <uniqueid type="tmdb" default="true">949</uniqueid>
  <genre>Crime</genre>
  <genre>Drama</genre>
  <year>1995</year>
  <actor>
    <name>Al Pacino</name>
    <role>Vincent Hanna</role>
    <order>0</order>
  </actor>
</movie>
`);
    expect(showNfo({ ...emptyShow, title: 'Dark' })).to.equal(
      '<tvshow>\n  <title>Dark</title>\n</tvshow>\n',
    );
  });

  it('is ours until anybody changes anything', () => {
    const text = marked(filmNfo({ ...emptyFilm, title: 'Heat' }));
    expect(isOurs(bytesOf(text))).to.equal(true);
    for (const other of [
      text.replace('Heat', 'heat'),
      `${text}\n`,
      text.slice(1),
      text.slice(0, -1),
      text.replace('Revenge wrote', 'Somebody wrote'),
      text.replace(/[0-9a-f]{64}/, 'f'.repeat(64)),
      text.replaceAll('\n', '\r\n'),
      '<movie><title>Heat</title></movie>',
      '',
    ]) {
      expect(isOurs(bytesOf(other)), other.slice(0, 200)).to.equal(false);
    }
  });
});
