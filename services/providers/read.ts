/** What providers' answers say, where anything may be empty or nothing. Pure. */

/** A text that says something. */
export const said = (text: string | null | undefined): string | undefined => {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
};

const dayForm = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

/** A day that is one, also in the calendar of its year. */
export const dayOf = (text: string | null | undefined): string | undefined =>
  text != null && dayForm.test(text) && new Date(text).toISOString().startsWith(text)
    ? text
    : undefined;

export const yearOf = (text: string | null | undefined): number | undefined => {
  const day = dayOf(text);
  return day === undefined ? undefined : Number(day.slice(0, 4));
};

export const imdbOf = (text: string | null | undefined): string | undefined =>
  text != null && /^tt\d{6,9}$/.test(text) ? text : undefined;

export const minutes = (count: number | null | undefined): number | undefined =>
  count != null && count > 0 ? Math.round(count * 60_000) : undefined;

export const namesOf = (list: readonly { name: string }[] | null | undefined): string[] => [
  ...new Set((list ?? []).flatMap(({ name }) => said(name) ?? [])),
];

/** Titles beside the two main ones, each once. */
export function otherTitles(
  titles: readonly (string | null | undefined)[],
  main: readonly (string | undefined)[],
): string[] {
  const seen = new Set(main);
  const others = titles.flatMap((title) => said(title) ?? []);
  return [...new Set(others)].filter((title) => !seen.has(title)).slice(0, 60);
}
