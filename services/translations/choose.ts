/** In which language a viewer is shown a work's texts. Pure. */
import { bareLanguage, isAsWanted } from '../languages.ts';

/** Texts of a work that may be shown in several languages. */
export const fields = ['title', 'overview', 'tagline'] as const;
export type Field = (typeof fields)[number];

/** A work's texts in one language, as far as there are any. */
export type Translation = { readonly language: string } & Readonly<
  Partial<Record<Field, string | null>>
>;

/** A work as choosing sees it. */
export interface Translated {
  /** Of its own texts: its library's. */
  readonly language: string;
  readonly translations: readonly Translation[];
  readonly sources: Readonly<Record<string, string>>;
  readonly lockedFields: readonly string[];
}

/** A text in place of a work's own, and its language. */
export interface Text {
  readonly text: string;
  readonly language: string;
}
export type Texts = Readonly<Partial<Record<Field, Text>>>;

/** Who said a field's value for everybody: it is shown as it is. */
const firm = new Set(['user', 'nfo', 'embedded']);

/**
 * The texts to show in place of a work's own: of the languages wanted the first that there is, a
 * region before its language. What a person, an NFO or the file itself says stays.
 */
export function chooseTexts(work: Translated, wanted: readonly string[]): Texts {
  const open = fields.filter(
    (field) => !firm.has(work.sources[field] ?? '') && !work.lockedFields.includes(field),
  );
  const chosen = open.flatMap((field) => {
    const text = chooseText(work, field, wanted);
    return text === undefined ? [] : [[field, text] as const];
  });
  return Object.fromEntries(chosen);
}

function chooseText(
  { language: own, translations }: Translated,
  field: Field,
  wanted: readonly string[],
): Text | undefined {
  const told = translations.flatMap((one): Text[] => {
    const text = one[field]?.trim() ?? '';
    return text === '' ? [] : [{ text, language: one.language }];
  });
  for (const want of wanted) {
    if (isAsWanted(own, want)) return undefined;
    const exact = told.find(({ language }) => language.toLowerCase() === want.toLowerCase());
    if (exact !== undefined) return exact;
    if (bareLanguage(own) === bareLanguage(want)) return undefined;
    const near = told.find(({ language }) => bareLanguage(language) === bareLanguage(want));
    if (near !== undefined) return near;
  }
  return undefined;
}
