import { XMLParser } from 'fast-xml-parser';
import type { ProviderIds } from '../naming/ids.ts';
import * as read from './values.ts';

/** Bytes an NFO may have; scene releases decorate theirs, but a work's facts need far less. */
export const nfoMaxBytes = 1024 * 1024;

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  htmlEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  trimValues: true,
  transformTagName: (name) => name.toLowerCase(),
});

/** One root element of an NFO, and what was wrong with it. */
export interface Root {
  /** Undefined: it could not be read. */
  readonly element: read.Element | undefined;
  /** What stands behind it: a link to a database, as Kodi lets one add. */
  readonly after: string;
  readonly problems: readonly string[];
}

/**
 * Bounds of what is parsed, because nothing else runs meanwhile: a film with 500 actors and all
 * their pictures has 6,000 marks in 200 KiB, while 1 MiB of empty elements took 0.8 s.
 */
const xmlMaxLength = 512 * 1024;
const marksMax = 30_000;

function hasAtMost(text: string, mark: string, max: number): boolean {
  let at = -1;
  for (let count = 0; count <= max; count++) {
    at = text.indexOf(mark, at + 1);
    if (at < 0) return true;
  }
  return false;
}

/** Where an element of a name begins in a text; undefined: there is none. */
export const rootAt = (text: string, name: string): number | undefined =>
  new RegExp(`<${name}[\\s>/]`, 'i').exec(text)?.index;

/**
 * Parses the element `name` that begins at `start`, within bounds. Never throws: what is broken is
 * told as a problem.
 */
export function parseRoot(text: string, name: string, start: number): Root {
  if (/<!ENTITY/i.test(text)) return refused('defines entities, which are not read');
  const problems: string[] = [];
  const close = new RegExp(`</${name}\\s*>`, 'i').exec(text.slice(start));
  if (close === null) problems.push(`is cut off: </${name}> is missing`);
  const end = close === null ? text.length : start + close.index + close[0].length;
  const xml = text.slice(start, end) + (close === null ? `</${name}>` : '');
  if (xml.length > xmlMaxLength || !hasAtMost(xml, '<', marksMax)) {
    return refused('describes more than any work has');
  }
  try {
    const document = parser.parse(xml) as Record<string, unknown>;
    return { element: read.elementOf(document[name]), after: text.slice(end), problems };
  } catch (error) {
    // The file is a person's or another program's: its faults are shown, the scan goes on.
    const why = `is not well-formed XML: ${read.clip(String((error as Error).message), 200)}`;
    return { element: undefined, after: text, problems: [why] };
  }
}

const refused = (problem: string): Root => ({
  element: undefined,
  after: '',
  problems: [problem],
});

/** The ids an element gives, in Kodi's ways and the older ones. */
export function idsOf(element: read.Element): ProviderIds {
  const given: Record<string, string | undefined> = {};
  for (const unique of read.children(element, 'uniqueid')) {
    const type = read.attribute(unique, 'type')?.toLowerCase();
    if (type !== undefined) given[type] ??= read.ownText(unique, 40);
  }
  const named = (...names: string[]) =>
    names.map((name) => read.text(element, name, 40)).find((value) => value !== undefined);
  const id = named('id');
  const imdb = given['imdb'] ?? named('imdbid', 'imdb_id', 'imdb') ?? id;
  const tmdb = given['tmdb'] ?? named('tmdbid', 'tmdb_id');
  const tvdb = given['tvdb'] ?? named('tvdbid', 'tvdb_id');
  return {
    ...(imdb !== undefined && /^tt\d{7,9}$/.test(imdb) ? { imdb } : {}),
    ...(tmdb !== undefined && /^[1-9]\d{0,8}$/.test(tmdb) ? { tmdb } : {}),
    ...(tvdb !== undefined && /^[1-9]\d{0,8}$/.test(tvdb) ? { tvdb } : {}),
  };
}
