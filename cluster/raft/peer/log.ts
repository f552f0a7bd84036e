import type { Log } from '../driver/ports.ts';

/** One JSON line per event, on standard error. */
export function createLineLog(id: string): Log {
  const write = (level: string) => (message: string, facts?: Record<string, unknown>) => {
    const line = { time: new Date().toISOString(), level, id, message, ...facts };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  };
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
