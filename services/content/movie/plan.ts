import { attachSides, type SideFile } from './attach.ts';
import { groupFilms, type FilmGroup } from './grouping.ts';
import type { NamingOptions } from '../../naming/reading.ts';
import type { ProviderIds } from '../../naming/ids.ts';
import { isOurs } from '../../nfo/mark.ts';
import { emptyFilm, readNfo, type NfoFilm } from './nfo.ts';
import { identityKey } from '../../naming/titles.ts';
import { hintsIn, isHintFile, saysWork, withHints } from '../hints.ts';
import type { Told } from '../match.ts';
import type { Pin } from '../pins.ts';
import type { PlacedFile } from '../placed.ts';
import type { Unit } from './units.ts';

/** What is said of a film beside it, and in which file. */
export interface ToldFilm {
  readonly from: Told;
  readonly film: NfoFilm;
  readonly path: string;
  readonly digest: string;
}

/** One film found in one folder: what it is said to be and which files are its own. */
export interface Plan {
  /** Where it was found; names the evidence. */
  readonly path: string;
  readonly group: FilmGroup<PlacedFile>;
  readonly nfo: ToldFilm | undefined;
  /** What was wrong with its NFO files. */
  readonly problems: readonly { readonly path: string; readonly message: string }[];
  readonly ids: ProviderIds;
  readonly title: string;
  readonly year: number | undefined;
  readonly identity: string;
  readonly videos: readonly PlacedFile[];
  readonly sides: readonly SideFile[];
  readonly isPartial: boolean;
  /** The film that a person gave its files to. */
  readonly pin?: Pin | undefined;
  /** The film of the missing files whose place its files took; all of these are new. */
  readonly replaces?: string;
  /** What is said here is not said of the film that it is. */
  readonly keepsRow?: boolean;
}

/** One of its versions. */
export type Version = Plan['group']['versions'][number];

/** NFO files already read, by file id. */
export type Texts = ReadonlyMap<string, { bytes: Uint8Array; digest: string }>;

/** The films of a unit, and the files that belong to none of them. Pure. */
export function planUnit(
  unit: Unit,
  texts: Texts,
  options: NamingOptions,
): { plans: Plan[]; loose: PlacedFile[] } {
  const folder = unit.owner === '' ? undefined : unit.owner.slice(unit.owner.lastIndexOf('/') + 1);
  const videos = unit.files.filter(({ role }) => role === 'video');
  const groups = groupFilms(folder, videos, options);
  const sides = attachSides(
    groups,
    unit.files.filter(({ role }) => role !== 'video'),
  );
  const plans = groups.map((group, index) =>
    planGroup({ unit, group, sides: sides.byGroup[index] ?? [], texts }),
  );
  return { plans, loose: sides.loose };
}

function planGroup(found: {
  unit: Unit;
  group: FilmGroup<PlacedFile>;
  sides: readonly SideFile[];
  texts: Texts;
}): Plan {
  const { unit, group, sides, texts } = found;
  const { nfo: written, problems, ownIds } = chooseNfo(group, sides, texts);
  const nfo = group.hasFolder ? hinted(unit, written, texts) : written;
  const { reading } = group;
  const title = nfo?.film.title ?? reading.title;
  const year = nfo?.film.year ?? reading.year;
  const videos = group.versions.flatMap(({ parts, auxiliary }) => [...parts, ...auxiliary]);
  const first = videos[0];
  const isKnown = videos.some(({ itemId }) => itemId !== undefined);
  return {
    path: group.hasFolder ? unit.owner : (first?.path ?? unit.owner),
    group,
    nfo,
    problems,
    // What we wrote of a film that is known says nothing new; of one that is not, which it was.
    ids: { ...(isKnown ? {} : ownIds), ...reading.ids, ...nfo?.film.ids },
    title,
    year,
    identity: identityKey(title, year),
    videos,
    sides,
    isPartial: unit.isPartial,
  };
}

/** What the hint file of a film's own folder says counts before what its NFO says. */
function hinted(unit: Unit, nfo: ToldFilm | undefined, texts: Texts): ToldFilm | undefined {
  const found = hintsIn(unit.owner, unit.files, ({ id }) => texts.get(id)?.bytes);
  if (found === undefined || !saysWork(found.hints)) return nfo;
  const { path, id } = found.file;
  const digest = [texts.get(id)?.digest, nfo?.digest].filter(Boolean).join(' ');
  return { from: 'hint', film: withHints(nfo?.film ?? emptyFilm, found.hints), path, digest };
}

/** `<name>.nfo` before `movie.nfo` before the only other NFO of the film's own folder. */
function chooseNfo(
  group: FilmGroup<PlacedFile>,
  sides: readonly SideFile[],
  texts: Texts,
): Pick<Plan, 'nfo' | 'problems'> & { ownIds: ProviderIds } {
  const stems = new Set(
    group.versions.flatMap(({ stem, parts }) => [stem, ...parts.map((part) => part.stem)]),
  );
  const rank = ({ file }: SideFile) =>
    stems.has(file.stem) ? 0 : file.stem.toLowerCase() === 'movie' ? 1 : 2;
  const files = sides.filter(
    ({ file }) => file.role === 'nfo' && file.place.extra === undefined && !isHintFile(file),
  );
  const others = files.filter((side) => rank(side) === 2).length;
  const candidates = files
    .filter((side) => rank(side) < 2 || others === 1)
    .sort((a, b) => rank(a) - rank(b));
  const problems: { path: string; message: string }[] = [];
  let ownIds: ProviderIds = {};
  for (const side of candidates) {
    const text = texts.get(side.file.id);
    if (text === undefined) continue;
    const { film, problems: messages } = readNfo(text.bytes);
    if (isOurs(text.bytes)) {
      ownIds = film?.ids ?? {};
      continue;
    }
    // A release's own .nfo is decoration: only one that means to describe the film can be wrong.
    if (rank(side) < 2)
      problems.push(...messages.map((message) => ({ path: side.file.path, message })));
    if (film !== undefined) {
      const told = { from: 'nfo' as const, film, path: side.file.path, digest: text.digest };
      return { nfo: told, problems, ownIds };
    }
  }
  return { nfo: undefined, problems, ownIds };
}
