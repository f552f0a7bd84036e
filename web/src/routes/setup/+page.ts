import { redirect } from '@sveltejs/kit';
import { session } from '$lib/api';
import { isSetupRequired } from '$lib/setup';
import type { PageLoad } from './$types';

/** Only a server without an administrator is set up. */
export const load: PageLoad = async ({ parent }) => {
  await parent();
  if (session.status === 'in' || !(await isSetupRequired())) redirect(302, '/');
};
