import { isSubtitleWord, languageOf } from './counted.ts';
import type { Fact, FactKind, Found } from './lexicon.ts';
import type { Tokens } from './tokens.ts';

/** What a name says about the release; empty where it says nothing. */
export interface ReleaseFacts {
  readonly resolution?: string;
  readonly source?: string;
  readonly videoCodec?: string;
  readonly audioCodec?: string;
  readonly hdr?: string;
  readonly format3d?: string;
  readonly group?: string;
  readonly channels?: string;
  readonly depth?: string;
  readonly service?: string;
  readonly frameRate?: string;
  readonly container?: string;
  /** A checksum of the file, eight hexadecimal digits. */
  readonly hash?: string;
  readonly website?: string;
  /** The version of a file (`v2`). */
  readonly version?: number;
  /** How often it was corrected: PROPER, REPACK, REAL. */
  readonly proper?: number;
  /** All codecs, kinds and profiles it names, the first ones among them. */
  readonly audioCodecs?: readonly string[];
  readonly hdrs?: readonly string[];
  readonly profiles?: readonly string[];
  /** ISO 639 codes; `mul`: several, `und`: dubbed into an unnamed one. */
  readonly languages?: readonly string[];
  readonly subtitles?: readonly string[];
  /** Remux, Dual Audio, Internal … */
  readonly marks?: readonly string[];
}

const unnamed = new Set(['mul', 'und', 'zz']);
const isLanguage = (word: Found | undefined): boolean => {
  const language = languageOf(word);
  return language !== undefined && !unnamed.has(language);
};

/** "German custom subbed": words that say nothing of their own. */
const isFiller = (word: Found | undefined): boolean =>
  word?.facts.length === 1 && word.facts[0]?.[1] === 'other';

/** Words that follow each other. */
const follows = (word: Found | undefined, next: Found | undefined): boolean =>
  word !== undefined && word.to === next?.from;

/** The languages beside "subs": those that follow it, else those before it. As places in `words`. */
function languagesBeside(words: readonly Found[], index: number): number[] {
  const run: number[] = [];
  for (let next = index + 1; isLanguage(words[next]); next += 1) {
    if (!follows(words[next - 1], words[next])) break;
    run.push(next);
  }
  if (run.length > 0) return run;
  for (let back = index - 1; isLanguage(words[back]) || isFiller(words[back]); back -= 1) {
    if (!follows(words[back], words[back + 1])) break;
    if (isFiller(words[back])) continue;
    run.push(back);
    // "ENG.-.FR Sub": more than a separator parts what is spoken from what is read.
    const gap = (words[back]?.start ?? 0) - (words[back - 1]?.end ?? 0);
    if (gap > 1) break;
  }
  return run;
}

/** The facts of all words, languages beside "subs" as those of the subtitles. */
function factsOf(name: Tokens, words: readonly Found[]): Fact[] {
  const taken = new Map<number, string>();
  words.forEach((word, index) => {
    if (!isSubtitleWord(word) || name.tokens[word.from]?.text.startsWith('multi') === true) return;
    const run = languagesBeside(words, index);
    for (const at of run) taken.set(at, languageOf(words[at]) ?? 'und');
    if (run.length > 0) taken.set(index, '');
  });
  if (taken.size === 0) return words.flatMap(({ facts }) => facts);
  return words.flatMap(({ facts }, index): readonly Fact[] => {
    const language = taken.get(index);
    if (language === undefined) return facts;
    if (language === '') return facts.filter(([kind]) => kind !== 'subtitles');
    return [['subtitles', language], ...facts.filter(([kind]) => kind !== 'language')];
  });
}

type Values = Partial<Record<FactKind, string[]>>;

function group(facts: readonly Fact[]): Values {
  const values: Values = {};
  for (const [kind, value] of facts) {
    const list = values[kind];
    if (list === undefined) values[kind] = [value];
    else if (!list.includes(value) || kind === 'proper') list.push(value);
  }
  return values;
}

/** Facts under construction. */
export type Told = { -readonly [Key in keyof ReleaseFacts]: ReleaseFacts[Key] };

const plain = [
  'videoCodec',
  'format3d',
  'channels',
  'depth',
  'frameRate',
  'container',
  'hash',
] as const;

/** What the counted words say together. */
export function releaseFacts(name: Tokens, words: readonly Found[]): Told {
  const told: Told = {};
  if (words.length === 0) return told;
  const values = group(factsOf(name, words));
  for (const kind of plain) {
    const value = values[kind]?.[0];
    if (value !== undefined) told[kind] = value;
  }
  const marks = values.mark?.filter((mark) => mark !== 'other') ?? [];
  if (marks.length > 0) told.marks = marks;
  tellPicture(told, values, marks);
  tellSound(told, values);
  const service = values.service?.find((one) => one !== 'other');
  if (service !== undefined) told.service = service;
  if (values.version !== undefined) told.version = Number(values.version[0]);
  const proper = properOf(marks, values.proper ?? []);
  if (proper > 0) told.proper = proper;
  return told;
}

function tellPicture(told: Told, values: Values, marks: readonly string[]): void {
  const resolution = values.resolution?.[0] ?? values.definition?.[0];
  if (resolution !== undefined) told.resolution = resolution;
  const source = sourceOf(values.source ?? [], resolution, marks);
  if (source !== undefined) told.source = source;
  if (values.hdr === undefined) return;
  const hdr = values.hdr.find((one) => one !== 'DolbyVision') ?? values.hdr[0];
  if (hdr !== undefined) told.hdr = hdr;
  told.hdrs = values.hdr;
}

function tellSound(told: Told, values: Values): void {
  if (values.audioCodec !== undefined) {
    // A codec before the extension it carries: Atmos is a part of TrueHD or E-AC-3.
    const codec = values.audioCodec.find((one) => one !== 'Atmos') ?? 'Atmos';
    told.audioCodec = codec;
    told.audioCodecs = values.audioCodec;
  }
  if (values.profile !== undefined) told.profiles = values.profile;
  const languages = named(values.language?.filter((code) => code !== 'zz'));
  if (languages.length > 0) told.languages = languages;
  const subtitles = named(values.subtitles);
  if (subtitles.length > 0) told.subtitles = subtitles;
}

/** Without "into some language" where a language is named. */
function named(codes: readonly string[] = []): readonly string[] {
  if (!codes.includes('und')) return codes;
  const others = codes.filter((code) => code !== 'und');
  return others.some((code) => code !== 'mul') ? others : codes;
}

function sourceOf(
  sources: readonly string[],
  resolution: string | undefined,
  marks: readonly string[],
): string | undefined {
  const source = sources.find((one) => one !== 'HDRip') ?? sources[0];
  const isUltra = marks.includes('Ultra HD') || sources.includes('Ultra HD Blu-ray');
  return source === 'Blu-ray' && isUltra && resolution === '2160p' ? 'Ultra HD Blu-ray' : source;
}

function properOf(marks: readonly string[], numbered: readonly string[]): number {
  const own = Number(marks.includes('Proper')) + Number(marks.includes('Repack'));
  // REAL corrects a correction.
  const real = !marks.includes('Real') ? 0 : own === 0 && numbered.length === 0 ? 2 : 1;
  return own + real + numbered.reduce((sum, value) => sum + Number(value), 0);
}
