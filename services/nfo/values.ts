/** Reading values out of parsed XML that anybody may have written by hand. Pure. */

/** One element: its children and attributes by name, as fast-xml-parser gives them. */
export type Element = Readonly<Record<string, unknown>>;

/** The element behind a parsed value; text alone becomes an element with that text. */
export function elementOf(value: unknown): Element {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof one === 'string') return { '#': one };
  return typeof one === 'object' && one !== null ? (one as Element) : {};
}

/** All children of a name, in order. */
export function children(element: Element, name: string): Element[] {
  const value = Object.hasOwn(element, name) ? element[name] : undefined;
  if (value === undefined) return [];
  return (Array.isArray(value) ? (value as unknown[]) : [value]).map(elementOf);
}

/** The text directly in an element, entities decoded, at most `max` characters. */
export function ownText(element: Element, max: number): string | undefined {
  const raw = element['#'];
  if (typeof raw !== 'string' && typeof raw !== 'number') return undefined;
  const text = decodeEntities(String(raw)).trim();
  return text === '' ? undefined : clip(text, max);
}

/** The text of the first child of a name that has any. */
export const text = (element: Element, name: string, max: number): string | undefined =>
  children(element, name)
    .map((child) => ownText(child, max))
    .find((value) => value !== undefined);

/** An attribute's value. */
export function attribute(element: Element, name: string): string | undefined {
  const value = element[`@${name}`];
  return typeof value === 'string' ? decodeEntities(value).trim() : undefined;
}

/** The texts of all children of a name; one child may list several with ` / ` or `|`. */
export function names(element: Element, name: string): string[] {
  const found = children(element, name).flatMap(
    (child) => ownText(child, 1_000)?.split(/\s+\/\s+|\|/) ?? [],
  );
  const clean = found.map((one) => clip(one.trim(), 200)).filter((one) => one !== '');
  return [...new Set(clean)].slice(0, 100);
}

/** Cuts a text without splitting a character in two; NUL, which PostgreSQL refuses, goes. */
export function clip(value: string, max: number): string {
  const safe = value.replaceAll('\0', '');
  return safe.length <= max ? safe : safe.slice(0, max).replace(/[\ud800-\udbff]$/, '');
}

/** A decimal number, with a point or a comma. */
export function number(value: string | undefined): number | undefined {
  if (value === undefined || !/^-?\d+(?:[.,]\d+)?$/.test(value.trim())) return undefined;
  return Number(value.trim().replace(',', '.'));
}

/** A whole number that may be written with separators (`1,234,567`). */
export function count(value: string | undefined): number | undefined {
  const digits = value?.replace(/[\s.,']/g, '');
  if (digits === undefined || !/^\d{1,9}$/.test(digits)) return undefined;
  return Number(digits);
}

/** A year films can have. */
export function year(value: string | undefined): number | undefined {
  const found = Number(value?.trim());
  return Number.isInteger(found) && found >= 1870 && found <= 2200 ? found : undefined;
}

/** A calendar date `YYYY-MM-DD` that exists. */
export function date(value: string | undefined): string | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})/.exec(value ?? '')?.[1];
  if (match === undefined || year(match.slice(0, 4)) === undefined) return undefined;
  const time = Date.parse(`${match}T00:00:00Z`);
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(match) ? undefined : match;
}

/** Minutes (`136`, `136 min`) as milliseconds. */
export function minutes(value: string | undefined): number | undefined {
  const found = Number(/^(\d{1,4})(?:\s*min\w*\.?)?$/i.exec(value?.trim() ?? '')?.[1]);
  return Number.isInteger(found) && found > 0 ? found * 60_000 : undefined;
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/** XML's own entities and numeric ones, once; others stay as they are. */
const decodeEntities = (value: string): string =>
  value.replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|\w{2,6});/gi, (whole, entity: string) => {
    if (!entity.startsWith('#')) return named[entity.toLowerCase()] ?? whole;
    const isHex = /^#x/i.test(entity);
    const code = parseInt(entity.slice(isHex ? 2 : 1), isHex ? 16 : 10);
    const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : '';
  });

/** Bytes as text: by byte order mark, by what the XML declares, as UTF-8, else Windows-1252. */
export function decodeText(bytes: Uint8Array): string {
  const [a, b] = bytes;
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (a === 0x3c && b === 0) return new TextDecoder('utf-16le').decode(bytes);
  if (a === 0 && b === 0x3c) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8, whatever it may declare: the old encodings of Windows are the likely ones.
  }
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  const declared = /encoding\s*=\s*["']([\w-]{3,20})["']/i.exec(head)?.[1] ?? 'windows-1252';
  try {
    return new TextDecoder(/^utf/i.test(declared) ? 'windows-1252' : declared).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes); // it declares what nobody knows
  }
}
