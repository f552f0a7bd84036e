import type { OperationValidator } from './validate.ts';
import type { Timers } from './timers.ts';

interface Warming {
  readonly routes: readonly { readonly validator: Pick<OperationValidator, 'warm'> }[];
  /** Whether somebody waits for an answer. */
  readonly isBusy: () => boolean;
  readonly timers: Pick<Timers, 'after'>;
}

const pauseMs = 10;

/**
 * Compiles validators one by one, and none while somebody waits for an answer: clients who come
 * back all at once after a power cut need all there is, and what they ask for is compiled for them.
 */
export async function warm(
  { routes, isBusy, timers }: Warming,
  signal?: AbortSignal,
): Promise<void> {
  const pause = () => new Promise<void>((resolve) => timers.after(pauseMs, resolve));
  for (const { validator } of routes) {
    while (isBusy() && signal?.aborted !== true) await pause();
    if (signal?.aborted) return;
    await validator.warm();
    await pause();
  }
}
