/** How long a JSON Web Token (RFC 7519) is good for, from when it was made; fallback otherwise. */
export function lifetimeOf(jwt: string, fallbackMs: number): number {
  const [, payload = ''] = jwt.split('.');
  try {
    const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const { iat, exp } = JSON.parse(text) as { iat?: unknown; exp?: unknown };
    if (typeof iat !== 'number' || typeof exp !== 'number' || exp <= iat) return fallbackMs;
    return (exp - iat) * 1_000;
  } catch {
    return fallbackMs; // not one we can read; the server will say when it is over
  }
}
