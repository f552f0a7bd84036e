/** A live change as the event stream tells it. */
export interface LiveEvent {
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Queries are named by what they hold, coarse first; a name makes all that begin so stale. */
export type Key = readonly unknown[];

/** What a change makes stale. Pure. */
export function staleKeys({ name, payload }: LiveEvent): readonly Key[] {
  switch (name) {
    case 'item.added':
    case 'item.updated':
    case 'item.unavailable':
      return [
        ...(payload['kind'] === 'series'
          ? [['series'], ['episodes'], ['episode'], ['next-up'], ['calendar']]
          : [['movie', payload['itemId']], ['movies']]),
        ['about', payload['kind'], payload['itemId']],
        ['matches', payload['kind'], payload['itemId']],
        ['recent'],
        ['person'],
        ['search'],
        ['continue'],
        ['favourites'],
        ['watchlist'],
      ];
    case 'progress.changed':
      return [
        ...(payload['kind'] === 'movie'
          ? [['movie', payload['itemId']], ['movies']]
          : [['series'], ['episodes'], ['episode'], ['next-up']]),
        ['recent'],
        ['person'],
        ['continue'],
        ['favourites'],
        ['watchlist'],
      ];
    case 'scan.finished':
    case 'library.changed':
      return [
        ...[['libraries'], ['filters'], ['recent'], ['movies'], ['movie']],
        ...[['series'], ['episodes'], ['episode'], ['next-up'], ['calendar']],
        // Of many works at once no events tell one by one.
        ...[['person'], ['search'], ['continue'], ['favourites'], ['watchlist']],
      ];
    case 'scan.progress':
      return [['libraries']];
    case 'job.changed':
      return [['jobs'], ['backups']];
    case 'session.revoked':
      return [['sessions']];
    case 'user.changed':
      return [[]];
    default:
      return [];
  }
}
