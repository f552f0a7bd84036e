import { duration, list } from './autopilot/words.ts';

/** What a sentence is about: a name, a number (`…Ms`: milliseconds, `…Bytes`: bytes), or several names. */
export type NoticeValue = string | number | readonly string[];

export type NoticeValues = Readonly<Record<string, NoticeValue>>;

/** A sentence for people, and what it takes to say it in another language. */
export interface Notice<Code extends string = string, Values = NoticeValues> {
  /** Stable: what clients know the sentence by. */
  readonly code: Code;
  readonly values: Values;
  /** In English. */
  readonly text: string;
}

type Words = Readonly<Record<string, string>>;

/** The names in braces of a sentence: `left` of `{left} is gone`. */
type Places<Sentence extends string> = Sentence extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Places<Rest>
  : never;

type ValuesOf<Sentence extends string> = Readonly<Record<Places<Sentence>, NoticeValue>>;

/** Any notice of a table of sentences. */
export type NoticeOf<Sentences extends Words> = {
  [Code in keyof Sentences & string]: Notice<Code, ValuesOf<Sentences[Code]>>;
}[keyof Sentences & string];

/** Makes notices of a table of English sentences by their codes; values go where `{name}` stands. */
export const speaker =
  <const Sentences extends Words>(sentences: Sentences) =>
  <Code extends keyof Sentences & string>(
    code: Code,
    values: ValuesOf<Sentences[Code]>,
  ): Notice<Code, ValuesOf<Sentences[Code]>> => ({
    code,
    values,
    text: fill(sentences[code] ?? code, values),
  });

/** Puts values where a sentence names them in braces; what has no value stays as it is. Pure. */
export function fill(sentence: string, values: NoticeValues): string {
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined) return place;
    if (typeof value === 'number') return measured(name, value);
    return typeof value === 'string' ? value : list(value);
  });
}

function measured(name: string, value: number): string {
  if (name.endsWith('Ms')) return duration(value);
  return name.endsWith('Bytes') ? `${(value / 1024 ** 3).toFixed(1)} GB` : String(value);
}

/** What is said in words alone: by a node of an earlier release, or of what has no code. */
export const plainly = (text: string): Notice<'other'> => ({ code: 'other', values: {}, text });
