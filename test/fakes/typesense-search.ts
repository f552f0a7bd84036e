/** How the fake finds things: a small reading of Typesense's documented behaviour. */

export interface FakeDocument {
  readonly id: string;
  readonly [field: string]: Value | readonly string[] | undefined;
}

type Value = string | number;

type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

const listOf = (value: FakeDocument[string]): string[] =>
  value === undefined ? [] : typeof value === 'object' ? [...value] : [String(value)];

/** `field:=[`a`,`b`] && year:>=1990`; the operators in use, nothing more. */
export function passes(document: FakeDocument, filter: string): boolean {
  return filter.split(' && ').every((part) => {
    const [, field = '', operator = '', operand = ''] = /^(\w+):(=|>=|<=|)(.*)$/.exec(part) ?? [];
    const value = document[field];
    if (operator === '>=') return Number(value) >= Number(operand);
    if (operator === '<=') return Number(value) <= Number(operand);
    const wanted = [...operand.matchAll(/`([^`]*)`/g)].map(([, name]) => name ?? '');
    return listOf(value).some((one) => wanted.includes(one));
  });
}

/** Edits between two words, swaps of neighbours counting one (Damerau–Levenshtein). */
function edits(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j += 1) {
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? rows[i - 2]![j - 2]! + 1
          : Infinity;
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i]![j] = Math.min(
        rows[i - 1]![j]! + 1,
        rows[i]![j - 1]! + 1,
        rows[i - 1]![j - 1]! + same,
        swap,
      );
    }
  }
  return rows[a.length]![b.length]!;
}

const allowed = (word: string) => (word.length < 4 ? 0 : word.length < 8 ? 1 : 2);

function nears(typed: string, word: string, isPrefix: boolean): boolean {
  const max = allowed(typed);
  if (edits(typed, word) <= max) return true;
  if (!isPrefix) return false;
  return [-1, 0, 1].some((more) => edits(typed, word.slice(0, typed.length + more)) <= max);
}

interface Merit {
  readonly document: FakeDocument;
  readonly score: number;
}

type Compare = (typed: string, word: string, isLast: boolean) => boolean;

function merits(all: readonly FakeDocument[], parameters: Parameters, same: Compare): Merit[] {
  const typed = String(parameters['q']).split(' ');
  const fields = String(parameters['query_by']).split(',');
  const weights = String(parameters['query_by_weights']).split(',').map(Number);
  return all.flatMap((document) => {
    let score = 0;
    for (const [at, word] of typed.entries()) {
      const best = fields.map((field, place) => {
        const words = listOf(document[field]).flatMap((text) => text.split(' '));
        return words.some((one) => same(word, one, at === typed.length - 1)) ? weights[place]! : 0;
      });
      const found = Math.max(...best);
      if (found === 0) return [];
      score += 100 * found;
    }
    const phrase = typed.join(' ');
    const names = fields.slice(0, 2).flatMap((field) => listOf(document[field]));
    if (names.includes(phrase)) score += 1_000;
    else if (names.some((name) => name.startsWith(phrase))) score += 50;
    return [{ document, score: Math.round(score / typed.length) }];
  });
}

/** One search of a multi-search: words, then words with typos, then all words but the last. */
export function searchFake(documents: readonly FakeDocument[], parameters: Parameters) {
  const passing = documents.filter((one) => passes(one, String(parameters['filter_by'])));
  const isPrefix = parameters['prefix'] === 'true';
  const exact: Compare = (typed, word, isLast) =>
    word === typed || (isLast && isPrefix && word.startsWith(typed));
  const near: Compare = (typed, word, isLast) =>
    exact(typed, word, isLast) || nears(typed, word, isLast && isPrefix);
  let found = merits(passing, parameters, exact);
  if (found.length === 0) found = merits(passing, parameters, near);
  const typed = String(parameters['q']).split(' ');
  for (let drop = typed.length - 1; drop > 0 && found.length === 0; drop -= 1) {
    found = merits(passing, { ...parameters, q: typed.slice(0, drop).join(' ') }, near);
  }
  found.sort(
    (a, b) => b.score - a.score || Number(b.document['rank']) - Number(a.document['rank']),
  );
  const from = Number(parameters['offset'] ?? 0);
  const shown = String(parameters['include_fields']).split(',');
  return {
    facet_counts: facetCounts(found, String(parameters['facet_by'] ?? '')),
    found: found.length,
    hits: found
      .slice(from, from + Number(parameters['limit'] ?? 10))
      .map(({ document, score }) => ({
        document: Object.fromEntries(
          Object.entries(document).filter(([key]) => shown.includes(key)),
        ),
        highlight: {},
        highlights: [],
        text_match: score,
      })),
    out_of: documents.length,
    page: 1,
    request_params: { collection_name: String(parameters['collection']), per_page: 10, q: '' },
    search_cutoff: false,
    search_time_ms: 1,
  };
}

function facetCounts(found: readonly Merit[], fields: string) {
  return fields
    .split(',')
    .filter(Boolean)
    .map((field) => {
      const counts = new Map<string, number>();
      for (const { document } of found) {
        for (const value of listOf(document[field])) {
          counts.set(value, (counts.get(value) ?? 0) + 1);
        }
      }
      return {
        field_name: field,
        sampled: false,
        stats: { total_values: counts.size },
        counts: [...counts]
          .sort((a, b) => b[1] - a[1])
          .map(([value, count]) => ({ value, count, highlighted: value })),
      };
    });
}
