import type { BrowserContext, Page } from 'playwright-core';
import { administer, openHome, untilVoters, type Home } from '../cluster/home.ts';
import type { LabNode } from '../lab/node.ts';
import { startPostgres } from '../lab/services.ts';
import { quiet } from '../log.ts';
import { startBrowser, type TestBrowser } from './browser.ts';
import { expectBuilt } from './site.ts';

/** Three real nodes over one PostgreSQL, and a person with one tab of a browser. */
export interface Family extends AsyncDisposable {
  readonly home: Home;
  /** The page comes from the first of them. */
  readonly nodes: readonly LabNode[];
  readonly browser: TestBrowser;
  readonly context: BrowserContext;
  readonly page: Page;
}

/** Starts all of it; dispose of it in `after`. Call `needs('chromium')` in the suite. */
export async function startFamily(): Promise<Family> {
  expectBuilt();
  await using stack = new AsyncDisposableStack();
  const browser = stack.use(await startBrowser());
  const context = await browser.person();
  stack.defer(() => context.close());
  const home = await openHome();
  const postgres = await startPostgres(`${home.dir}/postgres`, quiet);
  stack.defer(() => postgres.stop());
  stack.use(home);
  const env = { REVENGE_DATABASE_URL: postgres.url };
  const expecting = { ...env, REVENGE_CLUSTER_RAFT_BOOTSTRAP_EXPECT: '3' };
  const nodes = await Promise.all(
    ['a', 'b', 'c'].map((name) => home.place(name, { env: expecting })),
  );
  for (const node of nodes) node.start();
  await Promise.all(nodes.map((node) => node.ready(120_000)));
  await administer(nodes[0]!, env);
  await untilVoters(nodes[0]!, 3);
  const page = await context.newPage();
  const rest = stack.move();
  return {
    ...{ home, nodes, browser, context, page },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

/** Signs the administrator in on the page that asks who is there, in English. */
export async function signInAsAdmin(page: Page): Promise<void> {
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill('correct horse battery staple');
  await page.keyboard.press('Enter');
}
