import { enter, type Entry } from '$lib/entry';
import { useLanguage } from '$lib/i18n.svelte';

// One page for every address, served by any node: nothing is rendered there.
export const ssr = false;
export const prerender = false;

/** Finds out whether this browser is still signed in, before anything is shown. */
export async function load(): Promise<Entry> {
  await useLanguage();
  return enter();
}
