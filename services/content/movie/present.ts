import type { ItemImage } from '../../progress/kinds.ts';
import type { CardRow } from './list.ts';
import type { MovieCard } from './movie.ts';

/** A film for lists, without the viewer's own state. */
export const presentCard = (
  row: CardRow,
  images: Readonly<Record<string, ItemImage>>,
): Omit<MovieCard, 'userState'> => ({
  id: row.id,
  libraryId: row.libraryId,
  title: row.title,
  year: row.year,
  releaseDate: row.releaseDate,
  durationMs: row.durationMs,
  // Four bytes in the database: 8.7, not 8.699999809.
  rating: row.rating === null ? null : Math.round(row.rating * 100) / 100,
  certification: row.certification,
  genres: row.genres,
  resolutions: row.resolutions,
  hdrKinds: row.hdrKinds,
  sizeBytes: row.sizeBytes,
  isAvailable: row.isAvailable,
  addedAt: row.addedAt.toISOString(),
  images: { ...images },
});
