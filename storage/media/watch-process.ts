import { statfs } from 'node:fs/promises';
import watcher from '@parcel/watcher';
import { whyUnheard } from './file-systems.ts';
import type { FromWatching, ToWatching } from './watch-protocol.ts';

/**
 * The watching process: started by watch.ts and told by it what to watch. Beginning to watch looks
 * at every folder, which hangs where a mount does, so it is in a process that may be killed.
 */
const subscriptions = new Map<string, watcher.AsyncSubscription | undefined>();

/** More at once is not worth telling one by one: a scan is quicker. */
const eventsMax = 10_000;

const say = (message: FromWatching): void => {
  process.send?.(message, undefined, undefined, () => undefined);
};

const end = (folder: string, error: unknown): void => {
  const reason = error instanceof Error ? error.message : String(error);
  const subscription = subscriptions.get(folder);
  subscriptions.delete(folder);
  say({ ended: folder, reason });
  void subscription?.unsubscribe().catch(() => undefined); // it has ended, one way or another
};

const hear =
  (folder: string): watcher.SubscribeCallback =>
  (error, events) => {
    if (!subscriptions.has(folder)) return;
    if (error !== null) return end(folder, error);
    if (events.length > eventsMax) return say({ flooded: folder });
    const told = events.map(({ path, type }) => ({ path, isGone: type === 'delete' }));
    say({ heard: folder, events: told });
  };

async function watch(folder: string): Promise<void> {
  if (subscriptions.has(folder)) return say({ listening: folder });
  subscriptions.set(folder, undefined);
  try {
    const unheard = whyUnheard((await statfs(folder)).type, process.platform);
    if (unheard !== undefined) return end(folder, unheard);
    const subscription = await watcher.subscribe(folder, hear(folder));
    // It may have been let go while it began.
    if (!subscriptions.has(folder)) return void (await subscription.unsubscribe());
    subscriptions.set(folder, subscription);
    say({ listening: folder });
  } catch (error) {
    end(folder, error);
  }
}

async function unwatch(folder: string): Promise<void> {
  const subscription = subscriptions.get(folder);
  subscriptions.delete(folder);
  await subscription?.unsubscribe();
}

process.on('message', (message: ToWatching) => {
  void ('watch' in message ? watch(message.watch) : unwatch(message.unwatch));
});
process.on('disconnect', () => process.exit());
