import { createBuckets } from '../doors/buckets.ts';
import { MAX_MESSAGE_BYTES, MAX_QUEUED, MESSAGES_PER_SECOND, MESSAGE_BURST } from './limits.ts';
import type { Counts, Topic } from './types.ts';

/** Sends one message after the other, no faster than others will take them. */
export interface Sender {
  send(topic: Topic, bytes: Uint8Array): void;
  stats(): {
    readonly queued: number;
    readonly sent: number;
    readonly unsent: Counts<'nobody' | 'tooLarge' | 'tooMany' | 'failed'>;
  };
  close(): void;
}

export interface SenderOptions {
  /** Resolves to how many it was handed to. */
  readonly publish: (topic: Topic, bytes: Uint8Array) => Promise<number>;
  readonly now: () => number;
  readonly onFailure: (error: unknown) => void;
}

/** Somewhat less than receivers allow: their clocks are not ours. */
const SHARE = 0.9;

export function createSender({ publish, now, onFailure }: SenderOptions): Sender {
  const pace = createBuckets({
    perSecond: SHARE * MESSAGES_PER_SECOND,
    burst: SHARE * MESSAGE_BURST,
    now,
  });
  const queue: { readonly topic: Topic; readonly bytes: Uint8Array }[] = [];
  const unsent = { nobody: 0, tooLarge: 0, tooMany: 0, failed: 0 };
  let sent = 0;
  let isBusy = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  async function drain(): Promise<void> {
    isBusy = true;
    while (queue.length > 0 && !isClosed && pace.take('own')) {
      const { topic, bytes } = queue.shift()!;
      try {
        if ((await publish(topic, bytes)) > 0) sent += 1;
        else unsent.nobody += 1;
      } catch (error) {
        unsent.failed += 1;
        onFailure(error);
      }
    }
    isBusy = false;
    if (queue.length > 0 && !isClosed) timer = setTimeout(() => void drain(), pace.waitMs('own'));
  }

  return {
    send(topic, bytes) {
      if (bytes.length > MAX_MESSAGE_BYTES) unsent.tooLarge += 1;
      else if (isClosed || queue.length >= MAX_QUEUED) unsent.tooMany += 1;
      else {
        queue.push({ topic, bytes });
        if (isBusy) return;
        clearTimeout(timer);
        void drain();
      }
    },
    stats: () => ({ queued: queue.length, sent, unsent: { ...unsent } }),
    close() {
      isClosed = true;
      clearTimeout(timer);
      queue.length = 0;
    },
  };
}
