import { languageCode } from '../languages.ts';

/** What the name of a subtitle file says beyond the name of its video. */
export interface SubtitleFacts {
  readonly language: string | undefined;
  readonly forced: boolean;
  readonly default: boolean;
  readonly hearingImpaired: boolean;
  readonly title: string | undefined;
}

const forced = new Set(['forced', 'foreign']);
const impaired = new Set(['sdh', 'cc']);

/**
 * Reads what follows the video's name (`.en.forced`, ` [German]`, `2_English`). The last language
 * counts; `hi` is Hindi unless another language is named, then it is "hearing impaired".
 */
export function readSubtitleTail(tail: string): SubtitleFacts {
  const facts = { forced: false, default: false, hearingImpaired: false };
  let language: string | undefined;
  const title: string[] = [];
  for (const token of tail.split(/[._]/).map(bare).filter(Boolean).reverse()) {
    const lower = token.toLowerCase();
    if (forced.has(lower)) facts.forced = true;
    else if (lower === 'default') facts.default = true;
    else if (impaired.has(lower)) facts.hearingImpaired = true;
    else if (lower === 'hi' && language !== undefined) facts.hearingImpaired = true;
    else {
      const leading = leadingCode(token);
      if (leading !== undefined && language === undefined) {
        language = leading.language;
        title.unshift(leading.rest);
        continue;
      }
      const code = languageCode(lower) ?? languageCode(lower.replace(/[^\p{L}-]+/gu, ''));
      if (code !== undefined && language === 'hi') {
        facts.hearingImpaired = true;
        language = code;
      } else if (code !== undefined && language === undefined) language = code;
      else if (!/^\d+$/.test(token)) title.unshift(token);
    }
  }
  return { ...facts, language, title: title.length === 0 ? undefined : title.join('.') };
}

/** `ru-something-else`: a code and a title in one. */
function leadingCode(token: string): { language: string; rest: string } | undefined {
  const match = /^([a-z]{2,3})-([a-z]{5,}.*)$/i.exec(token);
  const language = languageCode(match?.[1] ?? '');
  return language === undefined ? undefined : { language, rest: match?.[2] ?? '' };
}

const bare = (token: string): string => token.replace(/^[\s\-[(]+|[\s\-\])]+$| - \d+$/g, '');

const isFlag = (token: string): boolean => {
  const lower = bare(token).toLowerCase();
  const isWord = forced.has(lower) || impaired.has(lower) || lower === 'default' || lower === 'hi';
  return isWord || languageCode(lower) !== undefined;
};

/**
 * The name of a subtitle or sound file whose video is not known, in two: the video's name, and the
 * languages and marks at the end, at most four.
 */
export function splitSubtitleName(stem: string): { video: string; facts: SubtitleFacts } {
  const tokens = stem.split('.');
  let from = tokens.length;
  while (from > 1 && tokens.length - from < 4 && isFlag(tokens[from - 1] ?? '')) from -= 1;
  const facts = readSubtitleTail(tokens.slice(from).join('.'));
  return { video: tokens.slice(0, from).join('.'), facts };
}
