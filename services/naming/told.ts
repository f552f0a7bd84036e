/** What a name tells of its release behind the title: words, group, edition. Pure. */
import { editionText, findEdition } from './editions.ts';
import { trailingGroup, type Trailing } from './groups.ts';
import type { Found } from './lexicon.ts';
import type { Parts, Span } from './reading.ts';
import { releaseFacts, type ReleaseFacts, type Told } from './release.ts';
import { tokenAt } from './span.ts';
import type { Bracket, Tokens } from './tokens.ts';

interface Context {
  readonly counted: readonly Found[];
  readonly span: Span;
  readonly website: string | undefined;
  /** Where the marks of episodes end; 0: there are none. */
  readonly markEnd: number;
}

/** What the counted words, and what stands around them, say of the release. */
export function toldBy(parts: Parts, context: Context): ReleaseFacts {
  const { text, name } = parts;
  const { counted, span, website, markEnd } = context;
  const told = releaseFacts(name, counted);
  const tail = counted.filter(({ start }) => start >= span.end);
  const isTold = markEnd > 0 || tail.some(({ strength }) => strength === 'strong');
  const trailing = isTold ? trailingOf(text, tail) : undefined;
  const group = groupOf(parts, context, trailing);
  if (group !== undefined) told.group = group;
  if (website !== undefined) told.website = website;
  if (trailing !== undefined) addAppended(told, trailing);
  const packing = told.format3d ?? packingAtEnd(name);
  if (packing !== undefined) told.format3d = packing;
  return told;
}

function groupOf(
  { text, name, lead }: Parts,
  { counted, span, markEnd }: Context,
  trailing: Trailing | undefined,
): string | undefined {
  if (trailing?.isSure === true) return trailing.group;
  if (lead.group !== undefined) return lead.group;
  return trailing?.group ?? innerGroup(text, name, { counted, from: Math.max(span.end, markEnd) });
}

function addAppended(told: Told, { marks, languages }: Trailing): void {
  if (marks.length > 0) told.marks = [...(told.marks ?? []), ...marks];
  if (languages.length > 0) told.languages = [...(told.languages ?? []), ...languages];
}

/** What follows the last word; where that one fills a last bracket, what stands before that. */
function trailingOf(text: string, tail: readonly Found[]): Trailing | undefined {
  const last = tail.at(-1);
  if (last === undefined) return undefined;
  const trailing = trailingGroup(text.slice(last.end));
  if (trailing.group !== undefined || last.bracket === 0) return trailing;
  const outer = tail.findLast(({ bracket }) => bracket === 0);
  return outer === undefined ? trailing : trailingGroup(text.slice(outer.end));
}

const packings = new Set(['sbs', 'tab', 'mvc']);

const packingAtEnd = ({ tokens }: Tokens): string | undefined => {
  const last = tokens.length > 1 ? tokens.at(-1)?.text : undefined;
  return last !== undefined && packings.has(last) ? last : undefined;
};

/** A group in brackets among those of the release: `… (2007) [Group][WEBRip]`. */
function innerGroup(
  text: string,
  { tokens, brackets }: Tokens,
  { counted, from }: { counted: readonly Found[]; from: number },
): string | undefined {
  if (brackets.length < 2 || !counted.some(({ strength }) => strength === 'strong'))
    return undefined;
  const isName = ({ start, end, open }: Bracket, index: number): boolean => {
    if (index === 0 || start < from || (open !== '[' && open !== '【')) return false;
    const held = tokens.filter((token) => token.start > start && token.end < end);
    const isWord = counted.some((word) => word.start > start && word.end < end);
    return held.length > 0 && held.length < 4 && !isWord && !/^\d+$/.test(held[0]?.text ?? '');
  };
  const inner = brackets.find(isName);
  return inner && text.slice(inner.start + 1, inner.end - 1).replace(/^-|-$/g, '');
}

const isYear = /^(?:19|20)\d\d$/;

/** The edition behind the title; a weak word only beside the title's end, a year or other words. */
export function editionOf(
  { text, name: { tokens } }: Parts,
  span: Span,
  counted: readonly Found[],
): string | undefined {
  const from = tokenAt(tokens, span.end);
  if (from === tokens.length) return undefined;
  const isBeside = (index: number) =>
    index === from ||
    isYear.test(tokens[index - 1]?.text ?? '') ||
    counted.some((word) => word.from === index + 1 || word.to === index);
  const found = findEdition(tokens, from, isBeside);
  return found === undefined ? undefined : editionText(text, tokens, found);
}

/** Whether a name is that of an edition and nothing else. */
export function isOnlyEdition({ name: { tokens } }: Parts): boolean {
  if (tokens.length === 0 || tokens.length > 6) return false;
  const found = findEdition(tokens, 0, () => true);
  return found?.[0] === 0 && found[1] === tokens.length;
}
