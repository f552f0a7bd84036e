import type { Editable } from '../edit.ts';
import { works } from './movie.ts';

/** What of a film a person may set. */
export const editableFilms: Editable = {
  ...works,
  label: 'film',
  fields: {
    title: ['title', 'text'],
    sortTitle: ['sort_title', 'text'],
    originalTitle: ['original_title', 'text'],
    year: ['year', 'smallint'],
    releaseDate: ['release_date', 'date'],
    runtimeMs: ['runtime_ms', 'bigint'],
    overview: ['overview', 'text'],
    tagline: ['tagline', 'text'],
    certification: ['certification', 'text'],
    studio: ['studio', 'text'],
    collection: ['collection', 'text'],
    genres: ['genres', 'text[]'],
    tags: ['tags', 'text[]'],
  },
};
