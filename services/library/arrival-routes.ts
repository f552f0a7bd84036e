import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import { displayName } from '#storage/media/path.ts';
import { problem } from '../errors.ts';
import { arrivalsOf, type ArrSource } from './arr.ts';
import { readMappings, receive, type ArrivalDeps, type Reception } from './arrivals.ts';
import { findLibrary } from './libraries-store.ts';
import { noLibrary } from './manage.ts';

/** The operations by which others say that files came or went. */
export type ArrivalHandlers = HandlersOf<
  'announceArrival' | 'receiveRadarrWebhook' | 'receiveSonarrWebhook'
>;

/** Builds them; `mappings` is what the setting says. */
export function createArrivalRoutes(
  deps: ArrivalDeps,
  mappings: () => Promise<string>,
): ArrivalHandlers {
  const webhook = async (source: ArrSource, body: unknown) => {
    const told = arrivalsOf(source, body);
    const reach = { libraryId: undefined, mappings: readMappings(await mappings()), guess: true };
    return { status: 202 as const, body: receptionJson(await receive(deps, told, reach)) };
  };
  return {
    async announceArrival({ params, body }) {
      const { libraryId } = params;
      if ((await findLibrary(deps.store.sql, libraryId)) === undefined) throw noLibrary();
      const told = [{ path: body.path, isGone: body.isGone ?? false }];
      const reach = { libraryId, mappings: readMappings(await mappings()), guess: false };
      const reception = await receive(deps, told, reach);
      if (reception.accepted.length === 0) {
        const message = 'It lies in no folder of this library.';
        throw problem('unprocessable', message, { errors: [{ path: '/path', message }] });
      }
      return { status: 202, body: receptionJson(reception) };
    },
    receiveRadarrWebhook: ({ body }) => webhook('radarr', body),
    receiveSonarrWebhook: ({ body }) => webhook('sonarr', body),
  };
}

const receptionJson = ({
  accepted,
  outside,
}: Reception): components['schemas']['LibraryArrivals'] => ({
  accepted: accepted.map(({ libraryId, path }) => ({ libraryId, path: displayName(path) })),
  outside: [...outside],
});
