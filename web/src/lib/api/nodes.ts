import { api, read, ring } from './index.ts';
import { usableOrigins } from './ring.ts';

/** Learns which nodes there are, so that the app can go on with another one. */
export async function learnNodes(): Promise<void> {
  const { items } = await read(api.GET('/api/v1/nodes'));
  ring.learn(usableOrigins(items, location));
}
