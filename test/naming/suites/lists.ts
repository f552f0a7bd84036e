import { groupFilms } from '#services/content/movie/grouping.ts';
import { groupEpisodes } from '#services/content/series/grouping.ts';
import { splitName } from '#services/naming/extensions.ts';
import { stackParts } from '#services/naming/parts.ts';
import { extraTypeOf, readPlace } from '#services/naming/places.ts';
import { check, same, textOf, type Case, type Check } from './case.ts';

const options = { latestYear: 2029 } as const;

/** Their name of a kind of extra in ours. */
export const extraName = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return undefined;
  return value === 'Unknown' ? 'extra' : value.charAt(0).toLowerCase() + value.slice(1);
};

/** The films or episodes among files, extras apart: what a listing of a folder becomes. */
export function grouped(one: Case): Check[] | string {
  if (!Array.isArray(one.input)) return 'are no lists of files';
  const paths = one.input as readonly string[];
  const isSeries = one.args?.[0] === 'tvshows';
  const root = commonRoot(paths);
  const files = paths
    .filter((path) => isVideo(path))
    .map((path) => {
      const relative = path.slice(root.length);
      const slash = relative.lastIndexOf('/');
      const directory = relative.slice(0, Math.max(slash, 0));
      const { stem } = splitName(relative.slice(slash + 1));
      return {
        id: path,
        path: relative,
        stem,
        sizeBytes: 1,
        directory,
        place: readPlace(directory),
      };
    });
  const isExtra = (file: (typeof files)[number]) =>
    extraTypeOf({ directory: file.directory, stem: file.stem, isVideo: true });
  const main = files.filter((file) => isExtra(file) === undefined);
  const extraTypes = files.map(isExtra).filter((type) => type !== undefined);
  const groups: { parts: readonly { id: string }[] }[][] = isSeries
    ? groupEpisodes(main, options).map(({ versions }) => [...versions])
    : Object.values(Object.groupBy(main, ({ place }) => place.owner)).flatMap((list) => {
        const owner = list?.[0]?.place.owner ?? '';
        const folder = owner === '' ? undefined : owner.slice(owner.lastIndexOf('/') + 1);
        return groupFilms(folder, list ?? [], options).map(({ versions }) => [...versions]);
      });
  return listChecks(one, groups, extraTypes);
}

const isVideo = (path: string): boolean => /\.(?:mkv|mp4|avi|mov|iso)$/i.test(path);
const commonRoot = (paths: readonly string[]): string => {
  const first = paths[0] ?? '';
  if (!first.startsWith('/')) return '';
  const [, shelf = ''] = first.split('/');
  return `/${shelf}/`;
};

type Group = readonly { readonly parts: readonly { readonly id: string }[] }[];

interface Listing {
  readonly groups: readonly Group[];
  readonly first: Group;
  readonly extraTypes: readonly string[];
}

type Assertion = NonNullable<Case['assert']>[number];
type Rule = readonly [path: RegExp, judge: (assertion: Assertion, listing: Listing) => Check];

const versions = ({ op, value }: Assertion) => (op === 'empty' ? 0 : value);

const rules: readonly Rule[] = [
  [
    /^result$/,
    (assertion, { groups, extraTypes }) =>
      same('items', versions(assertion), groups.length + extraTypes.length),
  ],
  [
    /^items$|where ExtraType is null\]$/,
    ({ value }, { groups }) => same('items', value, groups.length),
  ],
  [
    /where ExtraType is not null\]$/,
    ({ op, value }, { extraTypes }) =>
      same('extras', op === 'count' ? value : 1, extraTypes.length),
  ],
  [
    /^(?:\[0\]|items\[0\])\.(?:alternateVersions|localAlternateVersions)$/,
    (assertion, { first }) => same('versions', versions(assertion), first.length - 1),
  ],
  [/^\[0\]\.files$/, ({ value }, { first }) => same('parts', value, first[0]?.parts.length)],
  [
    /^\[0\]\.alternateVersions\[0\]\.files$/,
    ({ value }, { first }) => same('parts', value, first[1]?.parts.length),
  ],
  [
    /^\[\*\]\.alternateVersions$/,
    (assertion, { groups }) => {
      const count = versions(assertion);
      const isEach = groups.every((group) => group.length - 1 === count);
      return check('versions', [count, groups], isEach);
    },
  ],
  [
    /^\[0\]\.(?:alternateVersions\[\d+\]\.)?files\[0\]\.path$/,
    ({ path, value }, { first }) => {
      const at = /alternateVersions\[(\d+)\]/.exec(path)?.[1];
      const own = first[at === undefined ? 0 : Number(at) + 1]?.parts[0]?.id ?? '';
      return check('order', [value, own], own.includes(textOf(value)));
    },
  ],
];

function listChecks(one: Case, groups: readonly Group[], extraTypes: readonly string[]): Check[] {
  const listing: Listing = { groups, first: groups[0] ?? [], extraTypes };
  const asserted = (one.assert ?? []).flatMap((assertion) =>
    rules
      .filter(([path]) => path.test(assertion.path) && assertion.op !== 'not_null')
      .map(([, judge]) => judge(assertion, listing)),
  );
  const named = Object.entries(one.expect ?? {})
    .filter(([property]) => property.endsWith('extraType'))
    .map(([, value]) =>
      check('extraType', [value, extraTypes], extraTypes.includes(extraName(value) ?? '')),
    );
  return [...asserted, ...named];
}

export function stacks(one: Case): Check[] {
  const names = (one.input as readonly (string | { fullName: string; isDirectory: boolean })[]).map(
    (file) =>
      typeof file === 'string'
        ? { name: file, isDirectory: false }
        : { name: file.fullName, isDirectory: file.isDirectory },
  );
  const files = names.map(({ name, isDirectory }) => {
    const own = name.slice(name.lastIndexOf('/') + 1);
    return { stem: isDirectory || !isVideo(own) ? own : splitName(own).stem, isDirectory };
  });
  const found = [true, false]
    .flatMap((isDirectory) => stackParts(files.filter((file) => file.isDirectory === isDirectory)))
    .filter(({ parts }) => parts.length > 1)
    .toSorted((a, b) => (a.stem < b.stem ? -1 : 1));
  const checks: Check[] = [];
  for (const { path, op, value } of one.assert ?? []) {
    if (path === 'result') checks.push(same('stacks', op === 'empty' ? 0 : value, found.length));
    const at = /^\[(\d)\]\.files$/.exec(path)?.[1];
    if (at !== undefined) checks.push(same('parts', value, found[Number(at)]?.parts.length));
  }
  for (const [property, value] of Object.entries(one.expect ?? {})) {
    const at = /^\[(\d)\]\.name$/.exec(property)?.[1];
    if (at !== undefined) checks.push(same('name', value, found[Number(at)]?.stem));
  }
  return checks;
}
