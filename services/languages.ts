/**
 * Languages as people and files name them. Codes are ISO 639: two letters where one exists (as in
 * BCP 47, HLS and HTML), else three; the table has both three-letter forms and common names.
 */
const table: readonly (readonly [code: string, ...others: string[]])[] = [
  ['af', 'afr', 'afrikaans'],
  ['ar', 'ara', 'arabic'],
  ['az', 'aze', 'azerbaijani', 'azerbaijan'],
  ['be', 'bel', 'belarusian'],
  ['bg', 'bul', 'bulgarian'],
  ['bn', 'ben', 'bengali'],
  ['bs', 'bos', 'bosnian'],
  ['ca', 'cat', 'catalan', 'català', 'catala', 'catalán'],
  ['cs', 'ces', 'cze', 'czech'],
  ['cy', 'cym', 'wel', 'welsh'],
  ['da', 'dan', 'danish', 'dansk'],
  ['de', 'deu', 'ger', 'german', 'deutsch', 'swissgerman', 'tedesco'],
  ['el', 'ell', 'gre', 'greek'],
  ['en', 'eng', 'english', 'ing', 'anglais', 'inglese'],
  ['es', 'spa', 'esp', 'spanish', 'castilian', 'español', 'espanol', 'castellano', 'latino'],
  ['et', 'est', 'estonian'],
  ['eu', 'eus', 'baq', 'basque'],
  ['fa', 'fas', 'per', 'persian', 'farsi'],
  ['fi', 'fin', 'finnish', 'suomi'],
  ['fr', 'fra', 'fre', 'french', 'français', 'francais', 'truefrench', 'vff', 'vfq'],
  ['ga', 'gle', 'irish'],
  ['gl', 'glg', 'galician'],
  ['he', 'heb', 'hebrew'],
  ['hi', 'hin', 'hindi'],
  ['hr', 'hrv', 'scr', 'croatian', 'hrvatski'],
  ['hu', 'hun', 'hungarian', 'magyar'],
  ['hy', 'hye', 'arm', 'armenian'],
  ['id', 'ind', 'indonesian'],
  ['is', 'isl', 'ice', 'icelandic'],
  ['it', 'ita', 'italian', 'italiano'],
  ['ja', 'jpn', 'jap', 'japanese'],
  ['ka', 'kat', 'geo', 'georgian'],
  ['kk', 'kaz', 'kazakh'],
  ['kn', 'kan', 'kannada'],
  ['ko', 'kor', 'korean'],
  ['la', 'lat', 'latin'],
  ['lt', 'lit', 'lithuanian'],
  ['lv', 'lav', 'latvian'],
  ['mk', 'mkd', 'mac', 'macedonian'],
  ['ml', 'mal', 'malayalam'],
  ['mn', 'mon', 'khk', 'mvf', 'mongolian', 'khalkha'],
  ['mr', 'mar', 'marathi'],
  ['ms', 'msa', 'may', 'malay'],
  ['nb', 'nob', 'bokmål', 'bokmal'],
  ['nl', 'nld', 'dut', 'dutch', 'nederlands', 'flemish'],
  ['nn', 'nno', 'nynorsk'],
  ['no', 'nor', 'norwegian', 'norsk', 'norwegisch'],
  ['pl', 'pol', 'polish', 'polski'],
  ['pt', 'por', 'portuguese', 'português', 'portugues', 'brazilian'],
  ['rm', 'roh', 'romansh', 'rumantsch', 'romansch'],
  ['ro', 'ron', 'rum', 'romanian'],
  ['ru', 'rus', 'russian'],
  ['sk', 'slk', 'slo', 'slovak'],
  ['sl', 'slv', 'slovenian', 'slovene'],
  ['sq', 'sqi', 'alb', 'albanian'],
  ['sr', 'srp', 'scc', 'serbian'],
  ['sv', 'swe', 'swedish', 'svenska'],
  ['sw', 'swa', 'swahili'],
  ['ta', 'tam', 'tamil'],
  ['te', 'tel', 'telugu'],
  ['th', 'tha', 'thai'],
  ['tl', 'tgl', 'tagalog', 'filipino'],
  ['tr', 'tur', 'turkish', 'türkçe', 'turkce'],
  ['uk', 'ukr', 'ukrainian'],
  ['ur', 'urd', 'urdu'],
  ['uz', 'uzb', 'uzbek', 'uzbekistan'],
  ['vi', 'vie', 'vietnamese'],
  ['yue', 'cantonese'],
  ['zh', 'zho', 'chi', 'chs', 'cht', 'chinese', 'mandarin'],
];

const codes = new Map(
  table.flatMap(([code, ...others]) => [code, ...others].map((n) => [n, code])),
);

const none = new Set(['und', 'unk', 'zxx', 'mul', 'mis', 'qaa']);

/**
 * The code of a language named by code or word, with or without a region (`pt-BR`, `zh_Hans`);
 * undefined when it is no language we know. Unknown three-letter codes are not guessed at.
 */
export function languageCode(name: string): string | undefined {
  const lower = name.trim().toLowerCase();
  const known = codes.get(lower);
  if (known !== undefined) return known;
  const region = /^([a-z]{2,3})[-_](?:[a-z]{2}|[a-z]{4}|\d{3})(?:[-_][a-z]{2})?$/.exec(lower);
  return region ? codes.get(region[1] ?? '') : undefined;
}

/** The language tag of a stream in our code; unknown ones stay as they are, "no language" is none. */
export function normaliseLanguage(tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined;
  const lower = tag.trim().toLowerCase();
  if (lower === '' || none.has(lower)) return undefined;
  return languageCode(lower) ?? lower;
}

/** A language tag without its region: `pt` of `pt-BR`. */
export const bareLanguage = (tag: string): string => (tag.split('-')[0] ?? tag).toLowerCase();

/** Whether texts in a language are what somebody wants: `en` and `en-US` are each other. */
export function isAsWanted(own: string, wanted: string): boolean {
  if (own.toLowerCase() === wanted.toLowerCase()) return true;
  const isOpen = !own.includes('-') || !wanted.includes('-');
  return isOpen && bareLanguage(own) === bareLanguage(wanted);
}

/** Every spelling of a language that files use: what a filter has to look for in raw tags. */
export function languageSpellings(code: string): readonly string[] {
  return table.find(([known]) => known === code)?.slice(0, 3) ?? [code];
}

/** Every language with its short codes (two and three letters) and the words that name it. */
export const languageCodes: readonly {
  readonly code: string;
  readonly short: readonly string[];
  readonly names: readonly string[];
}[] = table.map(([code, ...others]) => ({
  code,
  short: [code, ...others].filter((name) => name.length < 4),
  names: others.filter((name) => name.length > 3),
}));
