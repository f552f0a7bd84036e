import type { LogLevel, LogLine } from './types';

/** From the gravest on. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const satisfies readonly LogLevel[];

/** Which lines, as the address says it. */
export interface LogFilter {
  readonly nodeId?: string;
  readonly level?: LogLevel;
  readonly module?: string;
  readonly text?: string;
}

/** The question an address asks of a log; what it does not know it leaves out. Pure. */
export function readLogFilter(params: URLSearchParams): LogFilter {
  const level = logLevels.find((one) => one === params.get('level'));
  const [nodeId, module, text] = ['node', 'module', 'text'].map((name) =>
    params.get(name)?.trim().slice(0, 200),
  );
  return {
    ...(nodeId && { nodeId }),
    ...(level && level !== 'debug' && { level }),
    ...(module && { module }),
    ...(text && { text }),
  };
}

/** A page shows no more: who wants older ones asks for them by a filter. */
export const linesMax = 5_000;

/**
 * What is known, with the newer lines that came. Where there is a gap between the two, what is
 * known is let go, as it can be asked for again. Pure.
 */
export const withNewer = (
  known: readonly LogLine[],
  newer: readonly LogLine[],
  hasGap: boolean,
): readonly LogLine[] => (hasGap ? newer : [...newer, ...known].slice(0, linesMax));

/** What a line says beside its message, in short: `status=200 path=/x`. Pure. */
export const factsOf = ({ fields }: Pick<LogLine, 'fields'>): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');

/** As the node writes it to its own log, for who copies it. Pure. */
export const asJson = ({ at, level, module, message, fields }: LogLine): string =>
  JSON.stringify({ timestamp: at, level, ...(module && { module }), message, ...fields });

/** A field for who reads it; a stack within it stands on several lines. Pure. */
export const asText = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : (JSON.stringify(value, undefined, 2) ?? '').replace(/(?<!\\)((?:\\\\)*)\\n/g, '$1\n');
