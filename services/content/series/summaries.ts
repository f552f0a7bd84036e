import type { CompoundKind, ItemSummary, ProgressKind } from '../../progress/kinds.ts';
import { andSeen } from '../../visible.ts';
import type { ImageLookup } from '../images.ts';
import { externalIdsOf } from '../works.ts';
import { known } from './known.ts';
import { andOfSeen, seriesExists } from './seen.ts';

/** What says which episode of a series one is. */
export interface EpisodePlaceRow {
  readonly season: number;
  readonly number: number | null;
  readonly absolute: number | null;
  readonly airDate: string | null;
}

interface Row extends EpisodePlaceRow {
  readonly id: string;
  readonly seriesId: string;
  readonly seriesTitle: string;
  readonly year: number | null;
  readonly title: string | null;
  readonly durationMs: number | null;
  readonly isAvailable: boolean;
}

/** Episodes as what people have watched and go on with. */
export const episodeProgress = (images: ImageLookup): ProgressKind => ({
  kind: 'episode',
  async exists(sql, id, viewer) {
    const rows = await sql`
      select from episodes where id = ${id} ${andOfSeen(sql, viewer, sql`series_id`)}`;
    return rows.length > 0;
  },
  seen: (sql, viewer, id) => sql`
    exists (
      select from episodes e where e.id = ${id} ${andOfSeen(sql, viewer, sql`e.series_id`)})`,
  async summaries(sql, ids, viewer): Promise<ItemSummary[]> {
    const rows = await sql<Row[]>`
      select e.id, s.id as "seriesId", s.title as "seriesTitle", s.year, n.number as season,
        e.number, e.absolute, ${known(sql, 'air_date')} as "airDate",
        ${known(sql, 'title')} as title, e.duration_ms as "durationMs",
        e.is_available as "isAvailable"
      from episodes e join seasons n on n.id = e.season_id join series s on s.id = e.series_id
      where e.id = any (${ids as string[]}::uuid[]) ${andSeen(sql, viewer, sql`s.library_id`)}`;
    const series = [...new Set(rows.map(({ seriesId }) => seriesId))];
    const [pictures, own] = await Promise.all([
      images.forItems(sql, 'series', series),
      images.forItems(sql, 'episode', ids),
    ]);
    return rows.map((row) => ({
      id: row.id,
      title: [row.seriesTitle, countOf(row), row.title].filter(Boolean).join(' · '),
      year: row.year,
      durationMs: row.durationMs,
      isAvailable: row.isAvailable,
      images: { ...pictures.get(row.seriesId), ...own.get(row.id) },
      externalIds: {},
      episode: {
        ...{ seriesId: row.seriesId, seriesTitle: row.seriesTitle, season: row.season },
        ...{ number: row.number, absolute: row.absolute, airDate: row.airDate, title: row.title },
      },
    }));
  },
});

/** Series as what people keep on their lists. */
export const seriesProgress = (images: ImageLookup): ProgressKind => ({
  kind: 'series',
  exists: seriesExists,
  seen: (sql, viewer, id) => sql`
    exists (
      select from series s where s.id = ${id} ${andSeen(sql, viewer, sql`s.library_id`)})`,
  async summaries(sql, ids, viewer): Promise<ItemSummary[]> {
    const [rows, pictures] = await Promise.all([
      sql<Omit<ItemSummary, 'images'>[]>`
        select s.id, s.title, s.year, null as "durationMs", s.is_available as "isAvailable",
          ${externalIdsOf(sql, 'series', sql`s.id`)} as "externalIds"
        from series s where s.id = any (${ids as string[]}::uuid[])
          ${andSeen(sql, viewer, sql`s.library_id`)}`,
      images.forItems(sql, 'series', ids),
    ]);
    return rows.map((row) => ({ ...row, images: pictures.get(row.id) ?? {} }));
  },
});

/** Seasons and series, watched by watching their episodes. */
export const seriesCompounds: readonly CompoundKind[] = [
  {
    kind: 'season',
    of: 'episode',
    async parts(sql, id, viewer) {
      const rows = await sql<{ id: string }[]>`
        select id from episodes where season_id = ${id}
          ${andOfSeen(sql, viewer, sql`series_id`)}`;
      return rows.length === 0 ? undefined : rows.map((row) => row.id);
    },
  },
  {
    kind: 'series',
    of: 'episode',
    async parts(sql, id, viewer) {
      if (!(await seriesExists(sql, id, viewer))) return undefined;
      const rows = await sql<{ id: string; season: number }[]>`
        select e.id, n.number as season from episodes e join seasons n on n.id = e.season_id
        where e.series_id = ${id}`;
      const regular = rows.filter(({ season }) => season > 0);
      return (regular.length > 0 ? regular : rows).map((row) => row.id);
    },
  },
];

/** `S01E02`, the number counted through all seasons, or the day. */
export function countOf(place: EpisodePlaceRow): string | undefined {
  const { season, number, absolute, airDate } = place;
  const digits = (value: number) => String(value).padStart(2, '0');
  if (number !== null) return `S${digits(season)}E${digits(number)}`;
  return absolute === null ? (airDate ?? undefined) : digits(absolute);
}
