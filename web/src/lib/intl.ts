/** Makes what writes in a language once: that takes far longer than writing with it does. */
function kept<Format, Options>(make: (language: string, options: Options) => Format) {
  const made = new Map<string, Format>();
  return (language: string, options: Options): Format => {
    const name = `${language} ${JSON.stringify(options)}`;
    const format = made.get(name) ?? make(language, options);
    made.set(name, format);
    return format;
  };
}

const formatOf = kept(
  (language, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(language, options),
);
const dateFormatOf = kept(
  (language, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language, options),
);
const rulesOf = kept(
  (language, options: Intl.PluralRulesOptions) => new Intl.PluralRules(language, options),
);

/** A number as the language writes it. */
export const numeral = (
  value: number,
  language: string,
  options: Intl.NumberFormatOptions = {},
): string => formatOf(language, options).format(value);

/** A moment as the language writes it. */
export const moment = (
  at: string | number,
  language: string,
  options: Intl.DateTimeFormatOptions,
): string => dateFormatOf(language, options).format(new Date(at));

/** The form of words that goes with a number (CLDR). */
export const formOf = (count: number, language: string): Intl.LDMLPluralRule =>
  rulesOf(language, {}).select(count);
