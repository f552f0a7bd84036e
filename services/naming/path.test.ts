import { expect } from 'chai';
import cases from '#test/fixtures/naming/paths.json' with { type: 'json' };
import { identifyPath } from './identify.ts';
import type { NamingOptions } from './reading.ts';

/** A path and what it says; what a case does not name is not asked for. */
interface Case {
  readonly path: string;
  readonly kind?: NamingOptions['kind'];
  readonly is: string;
  readonly season?: number;
  readonly episodes?: readonly number[];
  readonly absolute?: readonly number[];
  readonly date?: string;
  readonly [fact: string]: unknown;
}

const plain = ['title', 'year', 'edition', 'ids', 'episodeTitle', 'isSpecial'] as const;
const release = [
  'group',
  'source',
  'resolution',
  'videoCodec',
  'audioCodec',
  'channels',
  'languages',
  'subtitles',
  'hash',
  'service',
] as const;

describe('reading paths', () => {
  for (const row of cases as readonly Case[]) {
    it(row.path, () => {
      const found = identifyPath(row.path, { latestYear: 2029, kind: row.kind });
      expect(found.kind).to.equal(row.is);
      expect(found.season, 'season').to.equal(row.season);
      expect(found.episodes, 'episodes').to.deep.equal(row.episodes);
      expect(found.airDate, 'day').to.equal(row.date);
      if (row.absolute !== undefined) expect(found.absolute).to.deep.equal(row.absolute);
      for (const fact of plain) {
        if (fact in row) expect(found[fact], fact).to.deep.equal(row[fact]);
      }
      for (const fact of release) {
        if (fact in row) expect(found.release[fact], fact).to.deep.equal(row[fact]);
      }
    });
  }
});
