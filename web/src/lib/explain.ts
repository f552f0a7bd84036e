import { ApiError } from './api/problem';
import { currentLanguage, isMessage, t, type MessageKey } from './i18n.svelte';
import { unended } from './text';

/** What can be many things: which one it is, only the server's own words say. */
const isOfMany: ReadonlySet<string> = new Set([
  ...['bad-request', 'conflict', 'too-large', 'tool-missing', 'unavailable', 'unprocessable'],
]);

/** What went wrong, as a sentence in the language of the page. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) {
    return error instanceof Error ? error.message : t('error.internal');
  }
  const { code, message: detail, title } = error;
  const key = `error.${code}`;
  if (!isMessage(key)) return detail;
  const sentence = t(key);
  if (!isOfMany.has(code) || detail === title) return sentence;
  return inWords(sentence, detail);
}

/** What the server says, which speaks English: to who reads another language, after a sentence. */
export const inWords = (sentence: string, detail: string): string =>
  currentLanguage() === 'en' ? detail : t('error.told', { sentence: unended(sentence), detail });

/** Does something of which it is known what a problem means: that is said instead. */
export async function meaning<Value>(
  work: Promise<Value>,
  known: Readonly<Record<string, MessageKey>>,
): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    const key = error instanceof ApiError ? known[error.code] : undefined;
    throw key === undefined ? error : new Error(t(key), { cause: error });
  }
}
