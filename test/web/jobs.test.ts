import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import type { TestServer } from '../server.ts';
import type { TestBrowser } from './browser.ts';
import { openIn, signIn, startVisit, type Visit } from './suite.ts';

describe('jobs, in the web app', function () {
  needs('chromium');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit();
    ({ server, browser, page } = visit);
    await openIn(page, server.url);
    await signIn(page, server.admin);
    await openIn(page, `${server.url}/admin/jobs`);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const dead = () => page.getByRole('listitem').filter({ hasText: 'No room is left on a disk.' });

  it('and schedules are called by what they do', async () => {
    await page.getByText('Scan libraries that are due').waitFor();
    expect(await page.getByText(/^[a-z]+\.[a-z-]+$/).allInnerTexts()).to.deep.equal([]);
  });

  it('fill the search anew by a press', async () => {
    await openIn(page, `${server.url}/admin`);
    await page.getByRole('button', { name: 'Fill anew' }).click();
    await page.getByText('Search is being filled anew').waitFor();
    await server.settled();
  });

  it('that are dead tell why, and are done again', async () => {
    await kill(server);
    await openIn(page, `${server.url}/admin/jobs?state=dead`);
    await dead().getByText('Forget what is gone for good').waitFor();
    await dead().getByRole('button', { name: 'Try again' }).click();
    await dead().waitFor({ state: 'detached' });
    await server.settled();
  });

  it('that are dead are forgotten by a word', async () => {
    await kill(server);
    await openIn(page, `${server.url}/admin/jobs?state=dead`);
    await dead().getByRole('button', { name: 'Forget' }).click();
    await page.getByText('No jobs here').waitFor();
    const { items } = await server.read<{ items: unknown[] }>('/api/v1/jobs?state=dead');
    expect(items).to.deep.equal([]);
  });
});

/** A job failed for good, as one does that cannot write. */
async function kill({ db: { sql } }: TestServer): Promise<void> {
  const message = 'ENOSPC: no space left on device, write';
  const errors = [{ attempt: 1, at: new Date().toISOString(), message }];
  await sql`
    insert into shared.jobs
      (name, queue, state, priority, payload, attempt, attempts, timeout_ms, finished_at, errors)
    values ('library.clean', 'library', 'dead', 2, '{}', 1, 1, 60000, now(), ${sql.json(errors)})`;
}
