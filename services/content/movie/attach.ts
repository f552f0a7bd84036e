import type { FilmGroup } from './grouping.ts';
import { extraBySuffix, typeOfExtra, type ExtraType } from '../../naming/places.ts';
import { readSubtitleTail, type SubtitleFacts } from '../../naming/subtitles.ts';
import type { PlacedFile } from '../placed.ts';

/** What is known of a file beside a film's videos. */
export type SideFacts =
  | { readonly extraType: ExtraType }
  | (SubtitleFacts & { readonly forFileId: string | undefined })
  | Record<never, never>;

export interface SideFile {
  readonly file: PlacedFile;
  readonly facts: SideFacts;
}

/** Gives extras, subtitles, NFO files and images to the films they lie beside. Pure. */
export function attachSides(
  groups: readonly FilmGroup<PlacedFile>[],
  files: readonly PlacedFile[],
): { byGroup: SideFile[][]; loose: PlacedFile[] } {
  const byGroup: SideFile[][] = groups.map(() => []);
  const loose: PlacedFile[] = [];
  const named = groups.flatMap((group, index) =>
    group.versions
      .flatMap(({ stem, parts }) => [stem, ...parts.map((part) => part.stem)])
      .map((stem) => ({ index, stem: stem.toLowerCase() })),
  );
  const single = groups.length === 1 && groups[0]?.hasFolder === true;
  for (const file of files) {
    const index = single && file.role !== 'audio' ? 0 : ownerByName(file, named);
    const group = index === undefined ? undefined : groups[index];
    if (index === undefined || group === undefined) loose.push(file);
    else byGroup[index]?.push({ file, facts: factsOf(file, group) });
  }
  return { byGroup, loose };
}

/** The film with the longest name that this file's name begins with. */
function ownerByName(
  file: PlacedFile,
  named: readonly { index: number; stem: string }[],
): number | undefined {
  const names = nameCandidates(file).map((name) => name.toLowerCase());
  let best: { index: number; length: number } | undefined;
  for (const { index, stem } of named) {
    const fits = names.some((name) => startsWithName(name, stem));
    const isExtraOf = file.role === 'extra' && names.some((name) => startsWithName(stem, name));
    const length = fits ? stem.length : isExtraOf ? 1 : 0;
    if (length > (best?.length ?? 0)) best = { index, length };
  }
  return best?.index;
}

function nameCandidates(file: PlacedFile): string[] {
  const base = file.role === 'extra' ? extraBySuffix(file.stem)?.base : undefined;
  const folder = file.directory.slice(file.directory.lastIndexOf('/') + 1);
  return [base ?? file.stem, ...(file.place.isSubtitles ? [folder] : [])].filter(Boolean);
}

const startsWithName = (name: string, stem: string): boolean =>
  stem !== '' && name.startsWith(stem) && !/^[\p{L}\p{N}]/u.test(name.slice(stem.length));

function factsOf(file: PlacedFile, group: FilmGroup<PlacedFile>): SideFacts {
  switch (file.role) {
    case 'extra':
      return { extraType: typeOfExtra(file) };
    case 'subtitle':
    case 'audio':
      return subtitleFacts(file, group);
    case 'video':
    case 'image':
    case 'nfo':
    case 'other':
      return {};
  }
}

function subtitleFacts(file: PlacedFile, group: FilmGroup<PlacedFile>): SideFacts {
  const parts = group.versions.flatMap((version) => version.parts);
  const stem = file.stem.toLowerCase();
  const owner = parts
    .filter((part) => startsWithName(stem, part.stem.toLowerCase()))
    .sort((a, b) => b.stem.length - a.stem.length)[0];
  if (owner !== undefined) {
    return { ...readSubtitleTail(file.stem.slice(owner.stem.length)), forFileId: owner.id };
  }
  const folder = file.directory.slice(file.directory.lastIndexOf('/') + 1).toLowerCase();
  const byFolder = parts.find((part) => part.stem.toLowerCase() === folder);
  const forFileId = byFolder?.id ?? (group.versions.length === 1 ? parts[0]?.id : undefined);
  const facts = readSubtitleTail(file.stem);
  return { ...facts, title: file.place.isSubtitles ? facts.title : undefined, forFileId };
}
