import { redirect } from '@sveltejs/kit';
import { session } from '$lib/api';
import type { LayoutLoad } from './$types';

/** The server refuses everybody else anyway; this is so that nobody sees an empty page. */
export const load: LayoutLoad = async ({ parent }) => {
  await parent();
  if (session.status === 'in' && session.user?.role !== 'admin') redirect(302, '/');
};
