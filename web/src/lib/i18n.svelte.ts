import en from '$messages/en.json';
import { written, type NoticeKey, type NoticeValues } from './notices.ts';
import { fill, plural, type Values } from './text.ts';

/** English is the measure: every other language has the same messages. */
export type MessageKey = Exclude<keyof typeof en, `${string}#${string}`>;
/** Messages that depend on a number. */
export type PluralKey =
  Extract<keyof typeof en, `${string}#other`> extends `${infer Key}#other` ? Key : never;

/** Whether there is a message for all that the server says by codes: the compiler's to know. */
type Told<Key extends MessageKey | PluralKey> = Key;
export type ToldKey = Told<NoticeKey>;

/** What the app speaks; a new one is a file in `messages/` and a line here. */
export const languages = {
  en: { name: 'English', load: async () => en as Record<string, string> },
  de: {
    name: 'Deutsch',
    load: async () => (await import('$messages/de.json')).default as Record<string, string>,
  },
} as const;
export type Language = keyof typeof languages;

const slot = 'revenge.language';
const isLanguage = (code: string | null | undefined): code is Language =>
  code != null && code in languages;

function preferred(): Language {
  const chosen = localStorage.getItem(slot);
  if (isLanguage(chosen)) return chosen;
  return navigator.languages.map((code) => code.slice(0, 2)).find(isLanguage) ?? 'en';
}

let language = $state<Language>('en');
let messages = $state.raw<Record<string, string>>(en);

const locale = $derived(
  navigator.languages.find((code) => code.slice(0, 2) === language) ?? language,
);

/** The language of the page. */
export const currentLanguage = (): Language => language;

/** How dates and numbers are written: as the browser's own kind of the language does. */
export const currentLocale = (): string => locale;

/** Loads a language and shows the app in it; without one, that of the browser. */
export async function useLanguage(code: Language = preferred()): Promise<void> {
  messages = await languages[code].load();
  language = code;
  document.documentElement.lang = code;
}

/** Chooses a language for this browser. */
export async function chooseLanguage(code: Language): Promise<void> {
  localStorage.setItem(slot, code);
  await useLanguage(code);
}

/** A message in the language of the page. */
export const t = (key: MessageKey, values?: Values): string =>
  fill(messages[key] ?? en[key], values, currentLocale());

/** Whether there is a message of that name. */
export const isMessage = (key: string): key is MessageKey => key in en;

/** The message for what the server names; what it says itself of what the app does not know. */
export const named = (key: string, otherwise: string): string =>
  isMessage(key) ? t(key) : otherwise;

/** A message that depends on how many there are; the number is `{count}` in it. */
export function tn(key: PluralKey, count: number, values: Values = {}): string {
  const form = plural(key, count, language);
  const message = messages[form] ?? messages[`${key}#other`] ?? key;
  return fill(message, { count, ...values }, currentLocale());
}

const isPlural = (key: string): key is PluralKey => `${key}#other` in en;

/** What the server says by a code, in the language of the page; undefined where that is unknown. */
export function told(key: string, values: NoticeValues): string | undefined {
  const filled = written(values, currentLocale());
  if (isPlural(key)) return tn(key, Number(values['count']), filled);
  return isMessage(key) ? t(key, filled) : undefined;
}
