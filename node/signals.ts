/** How far a shutdown has been asked for. */
export type StopLevel = 'soft' | 'cancel' | 'exit';

export interface SignalOptions {
  /** Called once per level, in order. */
  readonly onLevel: (level: StopLevel) => void;
  readonly now: () => number;
  readonly source?: Pick<NodeJS.Process, 'on' | 'off'>;
}

/** A terminal and npm both pass one Ctrl-C on: what arrives within this many ms is one signal. */
const sameSignalMs = 300;

/**
 * Counts SIGINT and SIGTERM: the first asks for a soft stop, the second cancels what still runs,
 * the third exits. Returns a function that stops listening.
 */
export function watchSignals({ onLevel, now, source = process }: SignalOptions): () => void {
  const levels: StopLevel[] = ['soft', 'cancel', 'exit'];
  let lastAt = -Infinity;
  const heard = () => {
    const at = now();
    const isEcho = at - lastAt < sameSignalMs;
    lastAt = at;
    if (isEcho) return;
    const level = levels.shift();
    if (level !== undefined) onLevel(level);
  };
  source.on('SIGINT', heard);
  source.on('SIGTERM', heard);
  return () => {
    source.off('SIGINT', heard);
    source.off('SIGTERM', heard);
  };
}
