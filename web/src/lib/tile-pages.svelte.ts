import { QueriesObserver, useQueryClient, type QueryObserverResult } from '@tanstack/svelte-query';
import type { PageQuery, TilePage } from './queries';

/** What a grid wants to know: which pages, and how each is asked for. */
export interface WantedPages {
  readonly pages: readonly number[];
  readonly pageOf: (page: number) => PageQuery;
}

/**
 * The pages of a grid, by their numbers; undefined: not there yet. One observer for as long as the
 * grid is there. `createQueries` makes another whenever what is wanted changes, which gives up what
 * is under way and asks for it again: a page that takes longer than a frame never came while one
 * scrolled.
 */
export function createTilePages(wanted: () => WantedPages): (page: number) => TilePage | undefined {
  const observer = new QueriesObserver(useQueryClient(), []);
  let pages: readonly number[] = [];
  let shown = $state.raw<ReadonlyMap<number, TilePage | undefined>>(new Map());
  const show = (results: readonly QueryObserverResult[]) => {
    const data = results.map((result) => result.data as TilePage | undefined);
    shown = new Map(pages.map((page, at) => [page, data[at]]));
  };

  $effect.pre(() => observer.subscribe(show));
  $effect.pre(() => {
    const { pageOf, pages: numbers } = wanted();
    pages = numbers;
    observer.setQueries(pages.map((page) => ({ ...pageOf(page), notifyOnChangeProps: ['data'] })));
    show(observer.getCurrentResult());
  });
  return (page) => shown.get(page);
}
