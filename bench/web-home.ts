// How the home page comes to a browser that has never seen it: `node bench/web-home.ts [films]`.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { stopTestPostgres } from '#test/postgres.ts';
import { startServer } from '#test/server.ts';
import { startBrowser } from '#test/web/browser.ts';
import { expectBuilt } from '#test/web/site.ts';
import { signIn } from '#test/web/suite.ts';
import { fillFilms } from './films.ts';
import { median, report, type Row } from './report.ts';

const rounds = 5;
const restMs = 5_000;

/** Lighthouse's phone: a slow fourth generation line, and a processor a quarter as fast. */
const phone = {
  window: { width: 412, height: 823 },
  slower: 4,
  line: { latency: 150, downloadThroughput: 204_800, uploadThroughput: 93_750 },
};
const desktop = { window: { width: 1350, height: 940 }, slower: 1, line: undefined };
type Device = Readonly<{ [Name in keyof typeof phone]: (typeof phone)[Name] | undefined }>;

/** Notes what the browser paints and moves; in the page, whose types are not those of Node. */
const observe = `
  window.seen = { lcp: 0, cls: 0, tbt: 0 };
  const on = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take))
    .observe({ type, buffered: true });
  on('largest-contentful-paint', (entry) => { window.seen.lcp = entry.startTime; });
  on('layout-shift', (entry) => { if (!entry.hadRecentInput) window.seen.cls += entry.value; });
  on('longtask', (entry) => { window.seen.tbt += Math.max(0, entry.duration - 50); });
`;
const sum = `(() => {
  const files = performance.getEntriesByType('resource');
  const bytes = (ends) => files
    .filter(({ name }) => ends.test(new URL(name).pathname))
    .reduce((total, { encodedBodySize }) => total + encodedBodySize, 0);
  const fcp = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN;
  const count = files.filter(({ name }) => name.endsWith('.js')).length;
  const size = { script: bytes(/\\.js$/), style: bytes(/\\.css$/) };
  return { ...window.seen, count, fcp, ...size };
})()`;

interface Seen {
  readonly fcp: number;
  readonly lcp: number;
  readonly cls: number;
  readonly tbt: number;
  readonly script: number;
  readonly style: number;
  /** Files of script. */
  readonly count: number;
}

async function slowDown(page: Page, { slower, line }: Device): Promise<void> {
  const client = await page.context().newCDPSession(page);
  await client.send('Emulation.setCPUThrottlingRate', { rate: slower ?? 1 });
  if (line === undefined) return;
  await client.send('Network.emulateNetworkConditions', { offline: false, ...line });
}

interface Visit {
  readonly url: string;
  readonly device: Device;
  /** Who is signed in; undefined: nobody. */
  readonly who: BrowserContextOptions['storageState'];
}

/** One visit with nothing in the cache. */
async function visit(browser: Browser, { url, device, who }: Visit): Promise<Seen> {
  await using context = await browser.newContext({
    viewport: device.window ?? null,
    ...(who === undefined ? {} : { storageState: who }),
    // What a person has installed is not what comes at first.
    serviceWorkers: 'block',
  });
  await context.addInitScript(observe);
  const page = await context.newPage();
  await slowDown(page, device);
  await page.goto(url, { waitUntil: 'load', timeout: 120_000 });
  await page.waitForTimeout(restMs);
  return await page.evaluate<Seen>(sum);
}

async function visits(browser: Browser, wish: Visit): Promise<Seen> {
  const seen: Seen[] = [];
  for (let round = 0; round < rounds; round += 1) seen.push(await visit(browser, wish));
  const middle = (name: keyof Seen) => median(seen.map((one) => one[name]));
  return {
    ...{ fcp: middle('fcp'), lcp: middle('lcp'), cls: middle('cls'), tbt: middle('tbt') },
    ...{ script: middle('script'), style: middle('style'), count: middle('count') },
  };
}

/** Beside what Web Vitals and Lighthouse call good (web.dev/articles/vitals). */
function rowsOf(name: string, seen: Seen): Row[] {
  const good = (value: number) => ({ name: 'good', value });
  return [
    { name: `${name}: first paint`, value: seen.fcp, unit: 'ms', baseline: good(1_800) },
    { name: `${name}: largest paint`, value: seen.lcp, unit: 'ms', baseline: good(2_500) },
    { name: `${name}: blocked`, value: seen.tbt, unit: 'ms', baseline: good(200) },
    { name: `${name}: layout shift`, value: seen.cls, unit: '', baseline: good(0.1) },
    {
      ...{ name: `${name}: script`, value: seen.script / 1_000, unit: 'kB' },
      baseline: { name: 'what we allow', value: 150 },
      note: `${seen.count} files`,
    },
    { name: `${name}: styles`, value: seen.style / 1_000, unit: 'kB' },
  ];
}

async function benchHome(count: number): Promise<Row[]> {
  expectBuilt();
  await using server = await startServer();
  await fillFilms(server.db.sql, count);
  await using started = await startBrowser();
  const { browser } = started;
  await using context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(server.url);
  await signIn(page, server.admin);
  await page.getByRole('main').getByRole('link').first().waitFor();
  const who = await context.storageState();
  const url = server.url;
  const rows: Row[] = [];
  for (const [name, device] of Object.entries({ phone, desktop })) {
    const home = await visits(browser, { url, device, who });
    rows.push(...rowsOf(`home on a ${name}`, home));
    const signIn = await visits(browser, { url, device, who: undefined });
    rows.push(...rowsOf(`sign-in on a ${name}`, signIn));
  }
  return rows;
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 50_000);
  report(`home, with ${count} films, nothing cached`, await benchHome(count));
  await stopTestPostgres();
}
