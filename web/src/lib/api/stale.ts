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
        ['movie', payload['itemId']],
        ['movies'],
        ['recent'],
        ['search'],
        ['continue'],
        ['favourites'],
        ['watchlist'],
      ];
    case 'progress.changed':
      return [
        ['movie', payload['itemId']],
        ['continue'],
        ['favourites'],
        ['watchlist'],
        ['movies'],
      ];
    case 'scan.finished':
    case 'library.changed':
      return [['libraries'], ['movies'], ['filters'], ['recent']];
    case 'scan.progress':
      return [['libraries']];
    case 'job.changed':
      return [['jobs']];
    case 'session.revoked':
      return [['sessions']];
    default:
      return [];
  }
}
