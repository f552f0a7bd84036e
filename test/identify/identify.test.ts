import { expect } from 'chai';
import { films, series } from './catalogue.ts';
import { filmLibrary, seriesLibrary } from './library.ts';
import { runIdentification, type RunResult } from './run.ts';
import { describeRun } from './table.ts';

describe('a library as people have them', function () {
  this.timeout(240_000);
  let result: RunResult;

  before(async () => {
    const trouble = { endlessMax: 0 };
    result = await runIdentification({ films: 40, series: 6, trouble, patienceMs: 200_000 });
  });

  it('ends identified, whatever the vendor does meanwhile', () => {
    const notRight = [...result.films, ...result.series].filter(
      ({ verdict }) => verdict !== 'right',
    );
    expect(notRight.map(({ path, verdict }) => `${path}: ${verdict}`)).to.deep.equal([]);
    expect([result.films.length, result.series.length]).to.deep.equal([40, 6]);
    expect([...result.trouble.keys()]).to.include.members(['failed', 'another form']);
  });

  it('has its episodes in their places', () => {
    const astray = result.episodes.filter(({ isRight }) => !isRight);
    expect(astray.map(({ path, takenFor }) => `${path}: ${takenFor}`)).to.deep.equal([]);
    expect(result.episodes.length).to.be.above(20);
  });

  it('is told of in a table', () => {
    expect(describeRun(result)).to.match(/\| films +\| 40 \| 40 \|/);
  });
});

describe('the library of the identification run', () => {
  it('holds what is asked for, each at a path of its own', () => {
    const [some, shows] = [filmLibrary(500), seriesLibrary(42)];
    expect(new Set(some.map(({ truth }) => truth.key)).size).to.equal(500);
    expect(new Set(shows.map(({ truth }) => truth.key)).size).to.equal(42);
    for (const list of [some, shows]) {
      const paths = list.map(({ path }) => path.toLowerCase());
      expect(paths.filter((path, index) => paths.indexOf(path) !== index)).to.deep.equal([]);
    }
  });

  it('stands in a catalogue of works that are all of another name or year', () => {
    for (const works of [films, series]) {
      const keys = works.map(({ key }) => key);
      expect(keys.filter((key, index) => keys.indexOf(key) !== index)).to.deep.equal([]);
    }
  });
});
