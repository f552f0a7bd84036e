import { session } from '$lib/api';
import { isPassing } from '$lib/api/problem';
import { useLanguage } from '$lib/i18n.svelte';

// One page for every address, served by any node: nothing is rendered there.
export const ssr = false;
export const prerender = false;

/** Finds out whether this browser is still signed in, before anything is shown. */
export async function load(): Promise<void> {
  await useLanguage();
  if (session.status !== 'unknown') return;
  try {
    await session.restore();
  } catch (error) {
    if (!isPassing(error)) throw error; // the page says that no node answers, and tries again
  }
}
