import { ask } from '#test/lab/ask.ts';
import type { LabNode } from '#test/lab/node.ts';

/** How often each tier had an answer, and how often not, by `<tier> <outcome>`. */
export type Lookups = ReadonlyMap<string, number>;

const line = /^cache_lookups_total\{(?<labels>[^}]*)\} (?<value>\S+)$/;

/** Adds up what all nodes have counted since their start. */
export async function readLookups(nodes: readonly LabNode[], token: string): Promise<Lookups> {
  const sums = new Map<string, number>();
  for (const { url, name } of nodes) {
    const { status, bytes } = await ask({ url: `${url}/metrics`, token });
    if (status !== 200) throw new Error(`${name} shows no metrics: ${status}`);
    for (const each of bytes.toString().split('\n')) {
      const { labels = '', value = '' } = line.exec(each)?.groups ?? {};
      if (labels === '' || !labels.includes('type="movie"')) continue;
      const of = (label: string) => new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1] ?? '';
      const key = `${of('tier')} ${of('outcome')}`;
      sums.set(key, (sums.get(key) ?? 0) + Number(value));
    }
  }
  return sums;
}

/** Hits of each tier as a share of its look-ups between two readings; stale ones count as hits. */
export function hitRatios(before: Lookups, after: Lookups): Readonly<Record<string, number>> {
  const since = (key: string) => (after.get(key) ?? 0) - (before.get(key) ?? 0);
  return Object.fromEntries(
    ['l1', 'l2'].map((tier) => {
      const hits = since(`${tier} hit`) + since(`${tier} stale`);
      return [tier, hits / (hits + since(`${tier} miss`))];
    }),
  );
}
