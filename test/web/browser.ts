import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { noteOpen } from '../open.ts';
import { findTool } from '../needs.ts';

/** A real Chromium, and what its pages complain of. */
export interface TestBrowser extends AsyncDisposable {
  readonly browser: Browser;
  /** A person of their own: cookies, storage, window. */
  person(options?: PersonOptions): Promise<BrowserContext>;
  /** Errors of pages, failed policies and refused loads, since it was last asked. */
  complaints(): string[];
}

export interface PersonOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colours?: 'light' | 'dark';
  readonly language?: string;
  readonly touch?: boolean;
}

/** Nothing but the pages it is told to open: no first run, no updates, no services of its maker. */
const flags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
  '--autoplay-policy=no-user-gesture-required',
];

/** Starts Debian's Chromium; call `needs('chromium')` in the suite. */
export async function startBrowser(): Promise<TestBrowser> {
  const closed = noteOpen('startBrowser');
  const executablePath = findTool('chromium') ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: flags });
  let heard: string[] = [];
  const watch = (page: Page) => {
    page.on('pageerror', (error) => heard.push(`${page.url()}: ${error.stack ?? error.message}`));
    page.on('console', (message) => {
      const isBad = ['error', 'warning'].includes(message.type());
      if (isBad) heard.push(`${page.url()}: ${message.type()}: ${message.text()}`);
    });
  };
  return {
    browser,
    async person({ width = 1280, height = 800, colours = 'dark', language, touch } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: colours,
        locale: language ?? 'en-GB',
        hasTouch: touch ?? false,
        // A page that moves is not the same twice.
        reducedMotion: 'reduce',
      });
      context.on('page', watch);
      context.setDefaultTimeout(60_000);
      return context;
    },
    complaints() {
      const all = heard;
      heard = [];
      return all;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      closed();
    },
  };
}

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

let axe: string | undefined;

/** Findings of axe that keep somebody out, in words. */
export async function barriers(page: Page): Promise<string[]> {
  axe ??= readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // By the debugger: the page's own policy lets no script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate<{ violations: Finding[] }>('axe.run()');
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

/** In the page: it is drawn as it was told to be, and no colour is on its way to another. */
const settled = `(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const moving = () => document.getAnimations();
  do {
    await frame();
    await frame();
    await Promise.all(moving().map((one) => one.finished.catch(() => 0)));
    // What inherits from what changed may begin to change only now.
  } while (moving().some((one) => one instanceof CSSTransition));
})()`;

/** Until the page is drawn as it was told to be, at its width and in its colours. */
export const settle = (page: Page): Promise<unknown> => page.evaluate(settled);

/** The same in both themes, where the page goes with the device. */
export async function barriersInAnyLight(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await until(page, `document.documentElement.dataset.theme === '${colorScheme}'`);
    await settle(page);
    found.push(...(await barriers(page)).map((one) => `${colorScheme}: ${one}`));
  }
  return found;
}

/** Until something is so in the page, whose policy lets no expression in that waits there by itself. */
export async function until(page: Page, expression: string): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await pause(100)) {
    if (await page.evaluate(expression)) return;
  }
  throw new Error(`not in time: ${expression}`);
}
