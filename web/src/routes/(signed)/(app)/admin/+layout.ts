import { redirect } from '@sveltejs/kit';
import { session } from '$lib/api';

/** The server refuses everybody else anyway; this is so that nobody sees an empty page. */
export async function load({ parent }): Promise<void> {
  await parent();
  if (session.status === 'in' && session.user?.role !== 'admin') redirect(302, '/');
}
