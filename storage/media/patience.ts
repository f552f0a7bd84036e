import { MediaError } from './media.ts';

/** How long a caller waits: until its own signal, a time, or the end of the call. */
export interface Patience {
  /** Aborted with a MediaError `cancelled` or `timeout`. */
  readonly signal: AbortSignal;
  /** From now on at most `timeoutMs`, whatever was left before. */
  limit(timeoutMs: number): void;
  /** The call is over: no timer and no listener stays behind. */
  end(): void;
}

/** One controller a call, because a scan makes hundreds of thousands of calls on one signal. */
export function createPatience(caller: AbortSignal | undefined, timeoutMs: number): Patience {
  const controller = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const cancel = () => controller.abort(new MediaError('cancelled', 'no longer wanted'));
  const limit = (limitMs: number) => {
    const late = () =>
      controller.abort(new MediaError('timeout', 'the media did not answer in time'));
    timers.push(setTimeout(late, limitMs));
  };
  limit(timeoutMs);
  if (caller?.aborted) cancel();
  else caller?.addEventListener('abort', cancel, { once: true });
  return {
    signal: controller.signal,
    limit,
    end() {
      for (const timer of timers) clearTimeout(timer);
      caller?.removeEventListener('abort', cancel);
    },
  };
}
