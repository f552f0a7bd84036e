import { createHash } from 'node:crypto';
import type { FlatHeaders } from './headers.ts';

const inline = /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/gi;

/** Sources that allow exactly the scripts which stand in a page (CSP Level 3, hash-source). */
export function scriptHashes(html: string): string[] {
  return [...html.matchAll(inline)].map(([, script = '']) => {
    const digest = createHash('sha256').update(script).digest('base64');
    return `'sha256-${digest}'`;
  });
}

/** Loads that may go to another node of the cluster when the one the page came from is gone. */
const reaching = new Set(['connect-src', 'img-src', 'media-src']);

/** The headers of a page, with what this page may run and whom it may ask besides its own node. */
export function pageHeaders(
  page: FlatHeaders,
  more: { scripts: readonly string[]; origins: Iterable<string> },
): FlatHeaders {
  // A policy has no way to name an IPv6 address (CSP Level 3, host-source).
  const origins = [...more.origins].filter((origin) => !origin.includes('['));
  const widen = (directive: string) => {
    const [name = ''] = directive.split(' ');
    if (name === 'script-src') return [directive, ...more.scripts].join(' ');
    return reaching.has(name) ? [directive, ...origins].join(' ') : directive;
  };
  return page.map((value, at) =>
    page[at - 1]?.toLowerCase() === 'content-security-policy'
      ? value.split(';').map(widen).join(';')
      : value,
  );
}
