import { expect } from 'chai';
import { groupEpisodes } from './grouping.ts';

describe('the episodes of a folder', () => {
  const group = (...paths: string[]) =>
    groupEpisodes(
      paths.map((path) => ({
        ...{ id: path, path, stem: path.slice(path.lastIndexOf('/') + 1).replace(/\.\w+$/, '') },
      })),
      { latestYear: 2028 },
    ).map(({ versions }) => versions.flatMap(({ parts }) => parts.map(({ path }) => path)));

  it('have several files as versions', () => {
    const files = ['Dark/Dark S01E01 720p.mkv', 'Dark/Dark S01E01 1080p.mkv'];
    expect(group(...files)).to.deep.equal([files.toReversed()]);
  });

  it('are those of several series where no folder names one', () => {
    const [one, other] = ['Hawaii.Five-0.2010.S01E01.avi', 'Chernobyl.S01E01.2160p.mkv'];
    expect(group(one, other)).to.deep.equal([[one], [other]]);
  });
});
