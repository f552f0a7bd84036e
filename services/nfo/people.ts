/** Who takes part in a work, as its NFO tells it: in and out. Pure. */
import type { Credit } from '../people/index.ts';
import { listed } from './write.ts';
import * as read from './values.ts';

/** A part in a work. */
export interface NfoActor {
  readonly name: string;
  readonly character: string;
  readonly position: number;
}

/** Those whom NFO files have elements for. */
export interface NfoPeople {
  readonly actors: readonly NfoActor[];
  readonly directors: readonly string[];
  readonly writers: readonly string[];
}

/** Of an NFO that names nobody. */
export const nobody: NfoPeople = { actors: [], directors: [], writers: [] };

/** Those whom a work's element names. */
export const peopleOf = (work: read.Element): NfoPeople => ({
  actors: actorsOf(work),
  directors: read.names(work, 'director'),
  writers: [...new Set([...read.names(work, 'credits'), ...read.names(work, 'writer')])],
});

function actorsOf(work: read.Element): NfoActor[] {
  const actors = read.children(work, 'actor').slice(0, 200);
  return actors.flatMap((actor, index) => {
    const name = read.text(actor, 'name', 200);
    if (name === undefined) return [];
    const order = read.number(read.text(actor, 'order', 10)) ?? index;
    const position = Math.min(Math.max(Math.trunc(order), 0), 32_767);
    return [{ name, character: read.text(actor, 'role', 300) ?? '', position }];
  });
}

/** Whether an NFO names anybody: then those are all. */
export const namesPeople = ({ actors, directors, writers }: NfoPeople): boolean =>
  actors.length + directors.length + writers.length > 0;

/** As they are kept. */
export function creditsTold({ actors, directors, writers }: NfoPeople): Credit[] {
  const crew = (names: readonly string[], role: 'director' | 'writer') =>
    names.map((name, position) => ({ name, role, character: '', position }));
  const cast = actors.map((actor) => ({ ...actor, role: 'actor' as const }));
  return [...crew(directors, 'director'), ...crew(writers, 'writer'), ...cast];
}

/** What an NFO is to say of those who are kept. */
export function peopleToTell(credits: readonly Credit[]): NfoPeople {
  const named = (role: string) =>
    credits.filter((credit) => credit.role === role).map(({ name }) => name);
  const actors = credits.filter(({ role }) => role === 'actor');
  return {
    actors: actors.map(({ name, character }, position) => ({ name, character, position })),
    directors: named('director'),
    writers: named('writer'),
  };
}

/** The elements that name them: what `peopleOf` reads again. */
export const peopleElements = ({ actors, directors, writers }: NfoPeople) => ({
  director: directors.map(listed),
  credits: writers.map(listed),
  actor: actors.map(({ name, character, position }) => ({
    ...{ name, role: character, order: position },
  })),
});
