import type { components } from '#api/types.ts';
import type { StreamReply } from '#api/handler.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Viewer } from '../visible.ts';
import type { ProgressKind } from './kinds.ts';
import { seenBy, summariesOf } from './lists.ts';
import { listStates, type ListPlace } from './store.ts';

type Row = components['schemas']['WatchlistRow'];

const exportMax = 10_000;
const pageSize = 200;

/** A person's whole watchlist as a file to keep or to import elsewhere. */
export async function exportWatchlist(
  deps: { readonly sql: Queryable; readonly kinds: readonly ProgressKind[] },
  viewer: Viewer,
  format: 'csv' | 'json',
): Promise<StreamReply> {
  const rows = await readAll(deps, viewer);
  const headers = {
    'Content-Type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json',
    'Content-Disposition': `attachment; filename="watchlist.${format}"`,
    'Cache-Control': 'no-store',
  };
  return { status: 200, headers, stream: format === 'csv' ? toCsv(rows) : JSON.stringify(rows) };
}

async function readAll(
  deps: { readonly sql: Queryable; readonly kinds: readonly ProgressKind[] },
  viewer: Viewer,
): Promise<Row[]> {
  const isSeen = seenBy(deps, viewer);
  const rows: Row[] = [];
  let after: ListPlace | undefined;
  while (rows.length < exportMax) {
    const page = { list: 'watchlist', after, isSeen, limit: pageSize } as const;
    const entries = await listStates(deps.sql, viewer.userId, page);
    const summaries = await summariesOf(deps, entries, viewer);
    for (const { kind, itemId, at } of entries) {
      const item = summaries.get(`${kind} ${itemId}`);
      if (item === undefined) continue;
      const { title, year, externalIds } = item;
      const { imdb, tmdb, tvdb } = externalIds;
      const ids = Object.entries({ imdb, tmdb, tvdb }).filter(([, id]) => id !== undefined);
      rows.push({ kind, title, year, ...Object.fromEntries(ids), addedAt: at.toISOString() });
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length < pageSize) break;
    after = { atMs: last.at.getTime(), kind: last.kind, itemId: last.itemId };
  }
  return rows.slice(0, exportMax);
}

const columns = ['kind', 'title', 'year', 'imdb', 'tmdb', 'tvdb', 'addedAt'] as const;

/** RFC 4180. A value a spreadsheet would take for a formula gets an apostrophe. */
export function toCsv(rows: readonly Row[]): string {
  const cell = (value: string | number | null | undefined) => {
    const text = String(value ?? '');
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const lines = rows.map((row) => columns.map((column) => cell(row[column])).join(','));
  return [columns.join(','), ...lines, ''].join('\r\n');
}
