import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { decodeCursor, encodeCursor, isDay, isUuid, pageOf } from '../cursor.ts';
import { problem } from '../errors.ts';
import { callerOf, permits, type Principal } from '../principal.ts';
import type { ProgressKind } from '../progress/kinds.ts';
import { summariesOf } from '../progress/lists.ts';
import { presentState } from '../progress/present.ts';
import { noState, statesOf } from '../progress/store.ts';
import type { Viewer } from '../visible.ts';
import type { CreditedKind } from './credited.ts';
import { listCredited, readPerson, type CreditedWork, type WorkPlace } from './store.ts';

/** Operations of api/people.yaml. */
export type PeopleOperation = 'getPerson' | 'listPersonWorks';

export interface PeoplePagesDeps {
  readonly sql: Sql;
  /** The kinds people take part in. */
  readonly credited: readonly CreditedKind[];
  /** The same kinds, as lists show them. */
  readonly kinds: readonly ProgressKind[];
}

type PersonWork = components['schemas']['PersonWork'];

/** People who take part in works, and what they take part in, over all kinds. */
export function createPeoplePages(deps: PeoplePagesDeps): {
  handlers: HandlersOf<PeopleOperation>;
} {
  const { sql } = deps;
  const person = async (id: string, principal: Principal) => {
    const kinds = deps.credited.filter(({ permission }) =>
      permits(principal.permissions, permission),
    );
    const shown = { kinds, viewer: principal };
    const found = await readPerson(sql, shown, id);
    if (found === undefined) throw problem('not-found', `There is no person ${id}`);
    return { found, shown };
  };
  return {
    handlers: {
      async getPerson({ params, principal }) {
        return { body: (await person(params.personId, callerOf(principal))).found };
      },
      async listPersonWorks({ params, query, principal }) {
        const caller = callerOf(principal);
        const { limit = 50, cursor } = query;
        const scope = `person ${params.personId}`;
        const after = cursor === undefined ? undefined : readCursor(scope, cursor);
        const { found, shown } = await person(params.personId, caller);
        const asked = { id: found.id, after, limit: limit + 1 };
        const { page, last } = pageOf(await listCredited(sql, shown, asked), limit);
        return {
          body: {
            items: await presentWorks(deps, page, caller),
            nextCursor:
              last === undefined ? null : encodeCursor(scope, [last.released, last.itemId]),
          },
        };
      },
    },
  };
}

function readCursor(scope: string, cursor: string): WorkPlace {
  const [released, itemId] = decodeCursor(scope, cursor);
  if (typeof released !== 'string' || !isDay(released) || !isUuid(itemId)) {
    throw problem('invalid-cursor', 'The cursor does not belong to this list');
  }
  return { released, itemId };
}

/** With pictures and what the viewer has done with them; a work that is gone just now is left out. */
async function presentWorks(
  { sql, kinds }: PeoplePagesDeps,
  works: readonly CreditedWork[],
  viewer: Viewer,
): Promise<PersonWork[]> {
  const idsOf = (kind: CreditedWork['kind']) =>
    works.filter((work) => work.kind === kind).map(({ itemId }) => itemId);
  const { userId } = viewer;
  const [summaries, films, series] = await Promise.all([
    summariesOf({ sql, kinds }, works, viewer),
    statesOf(sql, userId, { kind: 'movie', itemIds: idsOf('movie') }),
    statesOf(sql, userId, { kind: 'series', itemIds: idsOf('series') }),
  ]);
  const states = { movie: films, series };
  return works.flatMap(({ kind, itemId, credits }): PersonWork[] => {
    const summary = summaries.get(`${kind} ${itemId}`);
    if (summary === undefined) return [];
    const { id, title, year, durationMs, isAvailable, images } = summary;
    const userState = presentState(states[kind].get(itemId) ?? noState);
    return [{ kind, id, title, year, durationMs, isAvailable, images, userState, credits }];
  });
}
