import { redirect } from '@sveltejs/kit';
import { session } from '$lib/api';
import { isSetupRequired } from '$lib/setup';
import type { PageLoad } from './$types';

/** Nobody signs in to a server that has no administrator. */
export const load: PageLoad = async ({ parent }) => {
  await parent();
  if (session.status === 'in') redirect(302, '/');
  if (session.status === 'out' && (await isSetupRequired().catch(() => false))) {
    redirect(302, '/setup');
  }
};
