/** Time that passes, as something a test can pass in. Each call returns its own cancel. */
export interface Timers {
  every(intervalMs: number, run: () => void): () => void;
  after(delayMs: number, run: () => void): () => void;
}

/** Node's own timers; none of them keeps the process alive. */
export const realTimers: Timers = {
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs).unref();
    return () => clearInterval(timer);
  },
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
