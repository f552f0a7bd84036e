import type { Page } from 'playwright-core';
import { startServer } from '#test/server.ts';
import { stopTestPostgres } from '#test/postgres.ts';
import { startBrowser } from '#test/web/browser.ts';
import { expectBuilt } from '#test/web/site.ts';
import { signIn } from '#test/web/suite.ts';
import { fillFilms } from './films.ts';
import { median, report, type Row } from './report.ts';

const frames = 400;
/** CSS pixels a frame: as fast as a wheel that is turned hard. */
const step = 160;

/**
 * Scrolls the page a step each frame and resolves to the milliseconds from frame to frame. In the
 * page, whose types are not those of Node.
 */
const scroll = `new Promise((resolve) => {
  const times = [];
  let last = performance.now();
  const next = (now) => {
    times.push(now - last);
    last = now;
    if (times.length > ${frames}) return resolve(times.slice(1));
    scrollBy(0, ${step});
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})`;

/** A page as long, with as many boxes on the screen, and no script of its own. */
const bare = `<!doctype html><style>
  body { margin: 0; display: grid; grid-template-columns: repeat(7, 1fr); gap: 16px }
  div { aspect-ratio: 2 / 3; background: #346 }
</style>${'<div>A film</div>'.repeat(7 * 320)}`;

interface Scrolled {
  readonly p50: number;
  readonly p95: number;
  readonly worst: number;
}

async function scrolled(page: Page): Promise<Scrolled> {
  const times = await page.evaluate<number[]>(scroll);
  const sorted = times.toSorted((a, b) => a - b);
  const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;
  return { p50: median(times), p95, worst: sorted.at(-1) ?? Number.NaN };
}

/** Megabytes of script objects and thousands of nodes, after what is garbage was let go. */
async function weight(page: Page): Promise<{ heap: number; nodes: number }> {
  const client = await page.context().newCDPSession(page);
  await client.send('HeapProfiler.collectGarbage');
  await client.send('Performance.enable');
  const { metrics } = await client.send('Performance.getMetrics');
  await client.detach();
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  return { heap: of('JSHeapUsedSize') / 1e6, nodes: of('Nodes') / 1e3 };
}

/** The grid and the list of films in a real browser, beside a bare page that scrolls as far. */
async function benchWeb(count: number): Promise<Row[]> {
  expectBuilt();
  await using server = await startServer();
  await fillFilms(server.db.sql, count);
  await using browser = await startBrowser();
  await using context = await browser.person();
  const empty = await context.newPage();
  await empty.setContent(bare);
  const floor = await scrolled(empty);
  await empty.close();
  const page = await context.newPage();
  await page.goto(`${server.url}/movies`);
  await signIn(page, server.admin);
  const card = page.getByRole('main').getByRole('link').first();
  await card.waitFor();
  const before = await weight(page);
  const grid = await scrolled(page);
  const began = performance.now();
  await page.evaluate(`scrollTo(0, document.documentElement.scrollHeight / 2)`);
  await card.waitFor();
  await page.locator('main .animate-pulse').first().waitFor({ state: 'detached' });
  const jumpMs = performance.now() - began;
  const again = await scrolled(page);
  const after = await weight(page);
  await page.evaluate('scrollTo(0, 0)');
  await page.getByRole('button', { name: 'Show as list' }).click();
  await page.getByRole('table').getByRole('link').first().waitFor();
  const list = await scrolled(page);
  const like = (name: keyof Scrolled) => ({ name: 'a bare page', value: floor[name] });
  return [
    { name: 'frame, middle', value: grid.p50, unit: 'ms', baseline: like('p50') },
    { name: 'frame, p95', value: grid.p95, unit: 'ms', baseline: like('p95') },
    { name: 'frame, longest', value: grid.worst, unit: 'ms', baseline: like('worst') },
    { name: 'frame from the middle on, p95', value: again.p95, unit: 'ms', baseline: like('p95') },
    { name: 'frame of the list, p95', value: list.p95, unit: 'ms', baseline: like('p95') },
    { name: 'from there to the middle', value: jumpMs, unit: 'ms' },
    {
      ...{ name: 'script memory after it', value: after.heap, unit: 'MB' },
      baseline: { name: 'before it', value: before.heap },
    },
    {
      ...{ name: 'nodes after it', value: after.nodes, unit: 'thousand' },
      baseline: { name: 'before it', value: before.nodes },
    },
  ];
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 50_000);
  report(`the grid of ${count} films`, await benchWeb(count));
  await stopTestPostgres();
}
