import { expect } from 'chai';
import type { Locator, Page } from 'playwright-core';
import { barriers, until } from './browser.ts';

/** In the page: what can be pressed now; numbered, so that it is known again. */
const controls = `(() => {
  const wanted = 'a[href], button:not(:disabled), input:not(:disabled), select, textarea, summary';
  const scope = [...document.querySelectorAll('[role=dialog]')].at(-1) ?? document;
  for (const one of document.querySelectorAll('[data-number]')) delete one.dataset.number;
  const shown = [...scope.querySelectorAll(wanted)].filter((one) =>
    one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }) &&
    one.getBoundingClientRect().width > 0 && !one.matches('[href="#content"]'));
  shown.forEach((one, at) => (one.dataset.number = at));
  return shown.map((one) => (one.getAttribute('aria-label') || one.labels?.[0]?.textContent ||
    one.textContent || one.tagName).trim().slice(0, 60));
})()`;
/** In the page: which of them has the focus, and whether one sees that. */
const focus = `(() => {
  const at = document.activeElement;
  const box = at?.getBoundingClientRect();
  const isIn = box && box.bottom > 0 && box.top < innerHeight &&
    box.right > 0 && box.left < innerWidth;
  // Nothing lies over its middle, unless it is over all of it as a part of it.
  const over = isIn && document.elementFromPoint(
    Math.min(Math.max((box.left + box.right) / 2, 0), innerWidth - 1),
    Math.min(Math.max((box.top + box.bottom) / 2, 0), innerHeight - 1));
  const isBare = over && (over.contains(at) || at.contains(over) ||
    over.closest('label, .group')?.contains(at));
  // A line around it; of a poster, of a box to tick and of a slider around what stands for it.
  const line = at?.closest('label, .group') ?? at;
  const isMarked = at && [at, line, ...at.children, ...line.children].some((one) =>
    getComputedStyle(one).outlineStyle !== 'none' ||
    getComputedStyle(one).getPropertyValue('--tw-ring-shadow').includes('4px'));
  return { number: Number(at?.dataset?.number ?? -1), isSeen: Boolean(isBare && isMarked) };
})()`;
/** In the page: it goes there; in a text to the end that the key would leave it by. */
const from = (number: number, key: string) => `(() => {
  const one = document.querySelector('[data-number="${number}"]');
  if (!one) return;
  one.focus();
  const end = '${key}' === 'ArrowRight' ? one.value?.length : 0;
  if (one.selectionEnd != null) one.setSelectionRange(end, end);
})()`;
/** In the page: how many of them are still there; a job that is done cannot be cancelled any more. */
const numbered = `document.querySelectorAll('[data-number]').length`;
/** In the page: what the focus is on, as who listens is told. */
const focused = `(() => {
  const at = document.activeElement;
  if (!at || at === document.body || at.id === 'content') return '';
  return (at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent ?? '')
    .trim();
})()`;
/** In the page: a menu that is open has the focus. */
const inMenu = `document.querySelector('[role=menu][data-state=open]') === null ||
  document.activeElement.closest('[role=menu]') !== null`;
const arrows = ['ArrowDown', 'ArrowRight', 'ArrowUp', 'ArrowLeft'] as const;
/** More presses than any way on a page needs. */
const most = 60;

/** In the page: something has the focus that is not the page itself. */
export const held = `document.activeElement !== document.body`;

/** In the page, whose document is not of Node: of one thing. */
export const hasFocus = (one: unknown): boolean =>
  one ===
  (globalThis as unknown as { document: { activeElement: unknown } }).document.activeElement;

/** What somebody does and finds out who has keys, and no pointer. */
export type Keyboard = ReturnType<typeof keyboardOf>;

/** The keyboard of a page. */
export function keyboardOf(page: Page) {
  const press = (key: string) => page.keyboard.press(key);
  const at = () => page.evaluate<{ number: number; isSeen: boolean }>(focus);
  const name = () => page.evaluate<string>(focused);

  /** What `find` has not seen; once more where something was gone before it came there. */
  const missed = async (find: (names: readonly string[]) => Promise<ReadonlySet<number>>) => {
    for (;;) {
      const names = await page.evaluate<string[]>(controls);
      const seen = await find(names);
      const isWhole = (await page.evaluate<number>(numbered)) === names.length;
      if (isWhole) return names.filter((_, number) => !seen.has(number));
    }
  };
  const seenByTab = async (names: readonly string[]) => {
    const seen = new Set<number>();
    // More than once around, as there may be more by then.
    const most = 2 * names.length + 8;
    for (let presses = 0; presses < most && seen.size < names.length; presses += 1) {
      await press('Tab');
      const { number, isSeen } = await at();
      if (number >= 0 && isSeen) seen.add(number);
    }
    return seen;
  };
  /** One that an arrow key has opened lies over the rest. */
  const closeMenu = async () => {
    const menu = page.locator('[role=menu][data-state=open]');
    if (!(await menu.isVisible())) return;
    await press('Escape');
    await menu.waitFor({ state: 'detached' });
  };
  const seenByArrows = async () => {
    const tried = new Set<number>();
    const seen = new Set([0]);
    const ahead = [0];
    for (let number = ahead.pop(); number !== undefined; number = ahead.pop()) {
      if (tried.has(number)) continue;
      tried.add(number);
      for (const key of arrows) {
        await page.evaluate(from(number, key));
        await press(key);
        const next = await at();
        if (next.isSeen) seen.add(next.number);
        if (next.number >= 0) ahead.push(next.number);
        await closeMenu();
      }
    }
    return seen;
  };
  /** That each way leads to all of the page, or of the dialog over it, and one sees where one is. */
  const reachesAll = async (of: string): Promise<void> => {
    expect(await missed(seenByTab), `${of}, by the tabulator`).to.deep.equal([]);
    expect(await missed(seenByArrows), `${of}, by arrow keys`).to.deep.equal([]);
  };
  /** Goes on with a key until the focus is on what begins so. */
  const reach = async (wanted: string, key = 'Tab'): Promise<void> => {
    // A menu takes the focus a little after it is there.
    await until(page, inMenu);
    for (let presses = 0; presses < most; presses += 1) {
      if ((await name()).startsWith(wanted)) return;
      await press(key);
    }
    throw new Error(`${most} × ${key} do not lead to ${wanted}, but to ${await name()}`);
  };
  /** Until the focus is on what is named so. */
  const untilOn = (wanted: string): Promise<void> =>
    until(page, `${focused}.startsWith(${JSON.stringify(wanted)})`);
  /** Presses what is there, wherever the focus was. */
  const use = async (one: Locator, key = 'Enter'): Promise<void> => {
    await one.focus();
    await press(key);
  };
  /**
   * Opens the dialog `title` by what is given, finds all of it, does there what is to be done, and
   * is on what opened it again once Escape has closed it.
   */
  const through = async (
    opener: Locator,
    title: string,
    within?: (dialog: Locator) => Promise<void>,
  ): Promise<void> => {
    await use(opener);
    const dialog = page.getByRole('dialog', { name: title });
    await dialog.waitFor();
    await dialog.locator('.animate-pulse').first().waitFor({ state: 'detached' });
    await reachesAll(title);
    expect(await barriers(page), title).to.deep.equal([]);
    await within?.(dialog);
    await press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await until(page, held);
    expect(await opener.evaluate(hasFocus), `back from ${title}: ${await name()}`).to.equal(true);
  };
  return { press, name, reach, reachesAll, through, untilOn, use };
}

/** Opens an address, and waits until all is there that is on its way. */
export async function openWhole(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
  await page.locator('.animate-pulse').first().waitFor({ state: 'detached' });
}
