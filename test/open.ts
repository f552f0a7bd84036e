/** What tests have open right now, by name: whatever is left at the end was forgotten. */
const opened = new Map<symbol, string>();

/** Notes that something was opened; the returned function notes that it was closed. */
export function noteOpen(what: string): () => void {
  const key = Symbol(what);
  opened.set(key, `${what} opened at ${caller()}`);
  return () => void opened.delete(key);
}

/** Everything noted and not closed. */
export function stillOpen(): string[] {
  return [...opened.values()];
}

function caller(): string {
  const lines = new Error().stack?.split('\n') ?? [];
  const test = lines.find((line) => /\.test\.ts/.test(line)) ?? lines[4] ?? 'an unknown place';
  return test.trim().replace(/^at /, '');
}
