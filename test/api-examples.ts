import { ownExamples, publicExamples, userExamples } from './examples/accounts.ts';
import {
  backupExamples,
  clusterExamples,
  jobExamples,
  settingExamples,
} from './examples/administration.ts';
import {
  imageExamples,
  libraryExamples,
  movieExamples,
  peopleExamples,
  playbackExamples,
  searchExamples,
  seriesExamples,
} from './examples/catalogue.ts';
import { stock, type Stock } from './examples/stock.ts';
import { startTmdb } from './fakes/tmdb.ts';
import { startServer } from './server.ts';
import type { Examples, SpecServer } from './spec-examples.ts';

/** A whole node with an example for every operation of its API. Needs ffmpeg. */
export async function startWithExamples(): Promise<SpecServer> {
  await using stack = new AsyncDisposableStack();
  const heat = { id: 949, title: 'Heat', date: '1995-12-15', minutes: 170 };
  const tmdb = stack.use(await startTmdb([heat]));
  tmdb.series.push({ id: 70523, title: 'Dark', date: '2017-12-01', seasons: { 1: ['Secrets'] } });
  const config = { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' };
  const server = stack.use(await startServer({ config }));
  const examples = examplesOf(await stock(server));
  const rest = stack.move();
  return { ...server, examples, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

const examplesOf = (stock: Stock): Examples => ({
  ...publicExamples(stock),
  ...ownExamples(stock),
  ...userExamples(stock),
  ...settingExamples,
  ...backupExamples(stock),
  ...libraryExamples(stock),
  ...movieExamples(stock),
  ...peopleExamples(stock),
  ...seriesExamples(stock),
  ...imageExamples(stock),
  ...playbackExamples(stock),
  ...searchExamples,
  ...jobExamples(stock),
  ...clusterExamples(stock),
});
