import { titleLikeness } from './likeness.ts';

/** What files say a work is. */
export interface Wanted {
  readonly titles: readonly string[];
  readonly year?: number | undefined;
  readonly runtimeMs?: number | undefined;
}

/** What a record says it is. */
export interface Known {
  readonly titles: readonly string[];
  readonly year?: number | undefined;
  readonly runtimeMs?: number | undefined;
  /** Where it is from, two letters each; undefined: nobody says. */
  readonly countries?: readonly string[] | undefined;
}

/** From here on a record is taken without asking a person. */
export const acceptScore = 0.85;

/** As people write them behind the titles of series. */
const countryWords: Readonly<Record<string, string>> = {
  ...{ us: 'US', usa: 'US', uk: 'GB', gb: 'GB', au: 'AU', nz: 'NZ', ca: 'CA', ie: 'IE' },
  ...{ in: 'IN', de: 'DE', fr: 'FR', jp: 'JP', dk: 'DK', se: 'SE', nl: 'NL' },
};

/** A title without the country behind it (`The Office (US)`); undefined: there is none. Pure. */
export function splitCountry(title: string): { title: string; country: string } | undefined {
  const [, bare, word = ''] = /^(.*\S)[\s([]+([a-z]{2,3})[)\]]?$/i.exec(title.trim()) ?? [];
  const country = countryWords[word.toLowerCase()];
  return bare === undefined || country === undefined ? undefined : { title: bare, country };
}

/** With a country behind it a title is that of a work from there, or of none that says otherwise. */
function likenessTo(title: string, known: Known): number {
  const named = known.titles.map((other) => titleLikeness(title, other));
  const split = splitCountry(title);
  const isFrom = split === undefined ? undefined : known.countries?.includes(split.country);
  const best = Math.max(0, ...named);
  if (split === undefined || best === 1) return best;
  if (isFrom === false) return Math.min(best, otherCountryMax);
  const bare = known.titles.map((other) => titleLikeness(split.title, other));
  return Math.max(best, ...bare.map((one) => (isFrom === true ? one : one * unsaidCountry)));
}

const unsaidCountry = 0.95;
const otherCountryMax = 0.5;

/**
 * How surely a record is the work, 0 to 1: by the titles that are most alike, less for years that
 * differ (by one they often do between countries), more or less by the running time. Pure.
 */
export function scoreOf(wanted: Wanted, known: Known): number {
  const alike = wanted.titles.map((title) => likenessTo(title, known));
  const score = Math.max(0, ...alike) - yearPenalty(wanted.year, known.year);
  const whole = score + runtimeBonus(wanted.runtimeMs, known.runtimeMs);
  return Math.round(Math.min(1, Math.max(0, whole)) * 1_000) / 1_000;
}

/** What years take off. Pure. */
export function yearPenalty(wanted: number | undefined, known: number | undefined): number {
  if (wanted === undefined || known === undefined) return 0.08;
  const apart = Math.abs(wanted - known);
  return [0, 0.05, 0.2][apart] ?? 0.5;
}

const minuteMs = 60_000;

function runtimeBonus(wanted: number | undefined, known: number | undefined): number {
  if (wanted === undefined || known === undefined || known === 0) return 0;
  const apart = Math.abs(wanted - known);
  if (apart <= Math.max(5 * minuteMs, 0.06 * known)) return 0.05;
  return apart > 0.3 * known ? -0.12 : 0;
}
