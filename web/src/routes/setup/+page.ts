import { redirect } from '@sveltejs/kit';
import { session } from '$lib/api';
import { isSetupRequired } from '$lib/setup';
import type { PageLoad } from './$types';

/** Only a server without an administrator is set up. */
export const load: PageLoad = async ({ parent }) => {
  const { isKnown } = await parent();
  if (!isKnown) return;
  if (session.status === 'in' || !isSetupRequired()) redirect(302, '/');
};
