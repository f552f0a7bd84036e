import { redirect } from '@sveltejs/kit';
import { session } from '$lib/api';
import { isSetupRequired } from '$lib/setup';
import type { PageLoad } from './$types';

/** Nobody signs in to a server that has no administrator. */
export const load: PageLoad = async ({ parent }) => {
  const { isKnown } = await parent();
  if (!isKnown) return;
  if (session.status === 'in') redirect(302, '/');
  if (session.status === 'out' && isSetupRequired()) redirect(302, '/setup');
};
