import { redirect } from '@sveltejs/kit';
import { session } from '$lib/api';
import { isSetupRequired } from '$lib/setup';
import type { LayoutLoad } from './$types';

/** What only people who are signed in see. */
export const load: LayoutLoad = async ({ parent, url }) => {
  const { isKnown } = await parent();
  if (!isKnown || session.status !== 'out') return;
  if (isSetupRequired()) redirect(302, '/setup');
  const next = url.pathname + url.search;
  redirect(302, next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`);
};
