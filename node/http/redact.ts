const secret = /([?&;](?:token|access_token|api_?key|key|signature|sig|password|code)=)[^&;#\s]*/gi;
const lengthMax = 300;

/** An address fit for a log: no tokens, no end. */
export function redactUrl(url: string): string {
  const clean = url.replaceAll(secret, '$1…');
  return clean.length > lengthMax ? `${clean.slice(0, lengthMax)}…` : clean;
}
