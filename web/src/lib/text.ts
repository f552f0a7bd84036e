import { formOf, numeral } from './intl.ts';

/** What a message may be filled with. */
export type Values = Readonly<Record<string, string | number>>;

/** Puts values where a message names them (`{name}`); numbers are written as the language does. */
export function fill(message: string, values: Values | undefined, language: string): string {
  if (values === undefined) return message;
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? numeral(value, language) : value;
  });
}

/** The form of a message for a number: `key#one`, `key#other` … as the language needs (CLDR). */
export function plural(key: string, count: number, language: string): string {
  return `${key}#${formOf(count, language)}`;
}

/** The beginning of a text, at most so many UTF-16 units: half a character is in no address. Pure. */
export const clip = (text: string, most: number): string =>
  text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');

/** A sentence as it stands before its own full stop, for another to follow. Pure. */
export const unended = (sentence: string): string => sentence.replace(/\.$/, '');
