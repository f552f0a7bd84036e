import { parse } from 'node:url';

/**
 * express-openapi-validator calls the deprecated `url.parse` for each request, and Node, until it
 * has warned once, walks the stack each time to see who called (7 % of a small answer's time,
 * measured on Node 24.21). One call from here counts as that warning, and nobody is bothered.
 */
export function quickenUrlParse(): void {
  const before = process.noDeprecation ?? false;
  process.noDeprecation = true;
  parse('/');
  process.noDeprecation = before;
}
