/**
 * True when an error says that PostgreSQL cannot be reached or is not serving (it is down,
 * starting, shutting down, out of connections), as opposed to having answered "no". HTTP turns
 * it into 503. Codes: postgres.js, Node's socket errors, and PostgreSQL's appendix A.
 */
export function isUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return false;
  return unavailable.has(code) || /^08[0-9A-Z]{3}$/.test(code);
}

/** PostgreSQL's five-character SQLSTATE, a socket's errno name, or the driver's own code. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** True for a violated unique key; with `constraint` only for that one. */
export function isDuplicate(error: unknown, constraint?: string): boolean {
  return codeOf(error) === '23505' && matches(error, constraint);
}

/** True for a reference to a row that is not there (or is still referred to). */
export function isBrokenReference(error: unknown, constraint?: string): boolean {
  return codeOf(error) === '23503' && matches(error, constraint);
}

/** True for a value that no column takes as it is: by its type (class 22), or by a check. */
export function isBadValue(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && /^(?:22[0-9A-Z]{3}|23514)$/.test(code);
}

function matches(error: unknown, constraint: string | undefined): boolean {
  return (
    constraint === undefined ||
    (error as { constraint_name?: string }).constraint_name === constraint
  );
}

const unavailable: ReadonlySet<string> = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // the unix socket is gone
  'EPIPE',
  'ETIMEDOUT',
  'ERR_SOCKET_CLOSED',
  '53300', // too many connections
  '57P01', // an administrator ended us: shutdown
  '57P02', // crash recovery
  '57P03', // starting up or shutting down
  '57P05', // idle session timeout
  '25006', // read-only: the primary has become a standby
]);
