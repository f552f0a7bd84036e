import { newestFirst } from './filters';
import { languageName } from './format';
import { currentLocale, t } from './i18n.svelte';
import type { Library } from './types';

/** One entry of a menu that filters. */
export interface ChoiceOption {
  readonly value: string;
  readonly label: string;
}

type Facets = readonly { readonly value: string; readonly count: number }[] | undefined;

export const anyChoice = (): ChoiceOption => ({ value: '', label: t('filter.any') });

/** Values in use with how many works have them. */
export const facetChoices = (facets: Facets, name = (value: string) => value): ChoiceOption[] => [
  anyChoice(),
  ...(facets ?? []).map(({ value, count }) => ({ value, label: `${name(value)} (${count})` })),
];

export const decadeChoices = (facets: Facets): ChoiceOption[] =>
  facetChoices(newestFirst(facets ?? []), (decade) =>
    t('filter.decadeOf', { decade: String(Number.parseInt(decade, 10)) }),
  );

export const showChoices = (): ChoiceOption[] => [
  { value: 'unwatched', label: t('filter.unwatched') },
  { value: 'watched', label: t('filter.watched') },
  { value: 'favourites', label: t('lists.favourites') },
];

const spoken = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pl', 'pt', 'ja'];

/** Languages of texts, by their names; first what is chosen already, whatever that is. */
export const languageChoices = (chosen: readonly string[]): ChoiceOption[] =>
  [...new Set([...chosen, ...spoken])].map((value) => ({
    value,
    label: languageName(value, currentLocale()),
  }));

/** The libraries of a kind, where there are several to choose from. */
export function libraryFilter(libraries: readonly Library[] | undefined, kind: Library['kind']) {
  const own = (libraries ?? []).filter((library) => library.kind === kind);
  if (own.length < 2) return [];
  const options = own.map(({ id, name }) => ({ value: id, label: name }));
  return [{ name: 'library', label: t('filter.library'), options: [anyChoice(), ...options] }];
}
