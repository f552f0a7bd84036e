import type { SearchDocument, SearchQuery } from '#storage/search/engine.ts';

/** The schema the tests of both engines use. */
export const searchSchema = { facets: ['genre', 'decade'], format: 1 };

let serial = 0;

/** A document with what a test cares about; the rest is plain. */
export function searchDocument(
  part: Partial<SearchDocument> & Pick<SearchDocument, 'title'>,
): SearchDocument {
  serial += 1;
  return {
    kind: 'movie',
    id: `01990000-0000-7000-8000-${serial.toString(16).padStart(12, '0')}`,
    audience: 'shared',
    titles: [],
    people: [],
    keywords: [],
    year: undefined,
    subtitle: undefined,
    facets: {},
    rank: 0,
    addedAt: new Date('2024-05-01T00:00:00Z'),
    ...part,
  };
}

/** A question with what a test cares about. */
export const searchQuery = (text: string, part: Partial<SearchQuery> = {}): SearchQuery => ({
  text,
  filters: { audiences: ['shared'] },
  prefix: true,
  limit: 20,
  offset: 0,
  ...part,
});
