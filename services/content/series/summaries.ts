import type { Queryable } from '#storage/postgres/connect.ts';
import type { ItemSummary, ProgressKind } from '../../progress/kinds.ts';
import type { ImageLookup } from '../images.ts';

interface Row {
  readonly id: string;
  readonly seriesId: string;
  readonly seriesTitle: string;
  readonly year: number | null;
  readonly season: number;
  readonly number: number | null;
  readonly absolute: number | null;
  readonly airDate: string | null;
  readonly title: string | null;
  readonly durationMs: number | null;
  readonly isAvailable: boolean;
}

/** Episodes as what people have watched and go on with. */
export const episodeProgress = (images: ImageLookup): ProgressKind => ({
  kind: 'episode',
  async exists(sql: Queryable, id: string) {
    const rows = await sql`select from episodes where id = ${id}`;
    return rows.length > 0;
  },
  async summaries(sql: Queryable, ids: readonly string[]): Promise<ItemSummary[]> {
    const rows = await sql<Row[]>`
      select e.id, s.id as "seriesId", s.title as "seriesTitle", s.year, n.number as season,
        e.number, e.absolute, e.air_date as "airDate", e.title, e.duration_ms as "durationMs",
        e.is_available as "isAvailable"
      from episodes e join seasons n on n.id = e.season_id join series s on s.id = e.series_id
      where e.id = any (${ids as string[]}::uuid[])`;
    const series = [...new Set(rows.map(({ seriesId }) => seriesId))];
    const pictures = await images.forItems(sql, 'series', series);
    return rows.map((row) => ({
      id: row.id,
      title: [row.seriesTitle, countOf(row), row.title].filter(Boolean).join(' · '),
      year: row.year,
      durationMs: row.durationMs,
      isAvailable: row.isAvailable,
      images: pictures.get(row.seriesId) ?? {},
      externalIds: {},
    }));
  },
});

/** `S01E02`, the number counted through all seasons, or the day. */
function countOf({ season, number, absolute, airDate }: Row): string | undefined {
  const digits = (value: number) => String(value).padStart(2, '0');
  if (number !== null) return `S${digits(season)}E${digits(number)}`;
  return absolute === null ? (airDate ?? undefined) : digits(absolute);
}
