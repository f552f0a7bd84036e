/** Titles as keys: to compare, to sort, to find again. Pure. */

const articles =
  /^(?:the|an?|der|die|das|ein|eine|le|la|les|l'|un|une|el|los|las|il|lo|gli|de|het)(?:\s+|(?<='))/;
const english = /^(?:the|an?)\s+/;

const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('æ', 'ae')
    .replaceAll('œ', 'oe')
    .replaceAll('ø', 'o')
    .replaceAll('ł', 'l')
    .replaceAll('đ', 'd')
    .normalize('NFC');

/** Letters and digits only, folded: two spellings of one title have one key. */
export function titleKey(title: string): string {
  const key = fold(title)
    .replace(/['’`´]/g, '')
    .replace(/&/g, ' and ')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  return key === '' ? fold(title).trim() : key;
}

/**
 * The title to sort by: folded, without the leading article of its language, numbers padded so
 * that 'Rocky 2' comes before 'Rocky 10'. Compared byte by byte.
 */
export function sortTitle(title: string, language = 'en'): string {
  const folded = fold(title)
    .replace(/['’`´"“”]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  const isEnglish = language.toLowerCase().startsWith('en');
  const bare = folded.replace(isEnglish ? english : articles, '');
  const padded = (bare === '' ? folded : bare).replace(/\d+/g, (digits) =>
    digits.padStart(10, '0'),
  );
  return padded === '' ? fold(title).trim() : padded;
}

/** What tells one film of a library from another when nobody gave ids: title and year. */
export const identityKey = (title: string, year: number | undefined): string =>
  `${titleKey(title)}|${year ?? ''}`;
