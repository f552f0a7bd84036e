import { redirect } from '@sveltejs/kit';
import { session } from '$lib/api';
import { isSetupRequired } from '$lib/setup';

/** Only a server without an administrator is set up. */
export async function load({ parent }): Promise<void> {
  await parent();
  if (session.status === 'in' || !(await isSetupRequired())) redirect(302, '/');
}
