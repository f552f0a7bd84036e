import type { BrowserContext, Page } from 'playwright-core';
import { startServer, type Account, type ServerOptions, type TestServer } from '../server.ts';
import { startBrowser, type TestBrowser } from './browser.ts';
import { expectBuilt } from './site.ts';

/** A node with the web app, and a person with one tab of a browser. */
export interface Visit extends AsyncDisposable {
  readonly server: TestServer;
  readonly browser: TestBrowser;
  readonly context: BrowserContext;
  readonly page: Page;
}

export interface VisitOptions extends ServerOptions {
  /** Makes what the node has, before anybody comes. */
  readonly prepare?: (server: TestServer) => Promise<void>;
}

/** Starts both; dispose of it in `after`. Call `needs('chromium')` in the suite. */
export async function startVisit({ prepare, ...options }: VisitOptions = {}): Promise<Visit> {
  expectBuilt();
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer(options));
  await prepare?.(server);
  const browser = stack.use(await startBrowser());
  const context = await browser.person();
  stack.defer(() => context.close());
  const page = await context.newPage();
  const rest = stack.move();
  return {
    ...{ server, browser, context, page },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

/** Opens an address of the node, and waits for what it shows. */
export async function openIn(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('main').waitFor();
}

/** Fills in the form that asks who is there, in English. */
export async function signIn(page: Page, { username, password }: Account): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: `Menu of ${username}` }).waitFor();
}

/** Until the page is that of what is named so. */
export const headed = (page: Page, name: string): Promise<void> =>
  page.getByRole('heading', { level: 1, name, exact: true }).waitFor();

/** Chooses from the menu of the work whose page it is. */
export async function chooseTool(page: Page, item: string): Promise<void> {
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** In the page, whose types are not those of Node: the film that plays. */
export const video = `document.querySelector('video')`;
/** In the page: how much wider something is than what holds it, in CSS pixels. */
export const excess = `document.documentElement.scrollWidth - document.documentElement.clientWidth`;
