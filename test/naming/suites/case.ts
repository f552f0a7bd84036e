import { languageCode } from '#services/languages.ts';
import { titleKey } from '#services/naming/titles.ts';

/** One case of a suite: an input and what another program's tests expect of it. */
export interface Case {
  readonly id: string;
  readonly fn: string;
  readonly test?: string;
  readonly input: unknown;
  readonly args?: readonly unknown[];
  readonly expect?: Readonly<Record<string, unknown>>;
  readonly assert?: readonly {
    readonly path: string;
    readonly op: string;
    readonly value?: unknown;
  }[];
  readonly absent?: readonly string[];
  readonly negates?: boolean;
  readonly options?: unknown;
  readonly libraryType?: string;
  readonly libraryRoot?: string;
  readonly mode?: string;
}

/** One property of a case: what was expected and what was read. */
export interface Check {
  readonly property: string;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly passes: boolean;
}

/** The checks of a case; a sentence when the case asks for something that is not naming. */
export type Judge = (one: Case) => Check[] | string;

export const check = (
  property: string,
  [expected, actual]: readonly [unknown, unknown],
  passes: boolean,
): Check => ({ property, expected, actual, passes });

export const same = (property: string, expected: unknown, actual: unknown): Check =>
  check(
    property,
    [expected, actual],
    JSON.stringify(expected ?? null) === JSON.stringify(actual ?? null),
  );

/** Titles are the same when they have the same key: that is how titles find each other. */
export const sameTitle = (property: string, expected: unknown, actual: string | undefined): Check =>
  check(property, [expected, actual], titleKey(textOf(expected)) === titleKey(actual ?? ''));

/** As sets; the expected ones must all be there. */
export const includes = (
  property: string,
  expected: readonly string[],
  actual: readonly string[],
): Check =>
  check(
    property,
    [expected, actual],
    expected.every((value) => actual.includes(value)),
  );

export const list = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value])
    .filter((one) => one !== null && one !== undefined)
    .map(String);

export const language = (name: string): string =>
  /^multi|^mul/i.test(name)
    ? 'mul'
    : (languageCode(name.toLowerCase().replace(/^jp$/, 'ja')) ?? name.toLowerCase());

/** A value of a case as text; anything that is none is ''. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
