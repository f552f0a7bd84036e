import cases from '#test/fixtures/naming/movies.json' with { type: 'json' };
import { readName } from '#services/naming/name.ts';
import { readPath } from '#services/naming/path.ts';
import { median, report } from './report.ts';

const rounds = 9;
const repeats = 40;
const options = { latestYear: 2030 };

/** Names of releases, of files of libraries, and of episodes, as they come. */
const names: readonly string[] = cases.flatMap(({ name }, index) => [
  name,
  `Show.Name.S${(index % 12) + 1}E${index}.Title.of.It.1080p.AMZN.WEB-DL.DDP5.1.H.264-GROUP`,
]);
const paths = names.map((name, index) => `Show Name (2010)/Season ${index % 12}/${name}.mkv`);

/** Milliseconds for every one of `list`, `repeats` times over. */
function timed(list: readonly string[], work: (text: string) => unknown): number {
  const begun = performance.now();
  for (let round = 0; round < repeats; round += 1) for (const text of list) work(text);
  return performance.now() - begun;
}

/** How many names and paths are read a second, against a bare split of the same into words. */
export function benchNaming(): void {
  const works = {
    name: () => timed(names, (text) => readName(text, options)),
    path: () => timed(paths, (text) => readPath(text, options)),
    split: () => timed(names, (text) => text.split(/[\s._()[\]{}-]+/)),
  };
  const taken = { name: [] as number[], path: [] as number[], split: [] as number[] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const kind of ['split', 'name', 'path'] as const) {
      const ms = works[kind]();
      // The first round warms up.
      if (round > 0) taken[kind].push(ms);
    }
  }
  const perSecond = (list: readonly number[]) => (names.length * repeats * 1_000) / median(list);
  const baseline = { name: 'split', value: perSecond(taken.split) };
  report(`naming (${names.length} names)`, [
    { name: 'names', value: perSecond(taken.name), unit: 'names/s', baseline },
    { name: 'paths, two names each', value: perSecond(taken.path), unit: 'paths/s', baseline },
  ]);
}

if (import.meta.main) benchNaming();
