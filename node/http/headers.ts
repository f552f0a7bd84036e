import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

/** Headers as Node's `writeHead` takes them without looking at them again: name, value, … */
export type FlatHeaders = readonly string[];

/** The security headers by what is answered. */
export interface SecurityHeaders {
  /** Data: nothing may be loaded, framed or guessed from it. */
  readonly data: FlatHeaders;
  /** Bytes behind a signed address, which other origins (a dashboard, a cast device) may embed. */
  readonly embeddable: FlatHeaders;
  /** Pages of ours: their own scripts, styles and images, nothing from outside. */
  readonly page: FlatHeaders;
}

const none = ["'none'"];
const self = ["'self'"];

/** What a browser heeds in documents only, left away from data. */
const forPagesOnly = {
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xPermittedCrossDomainPolicies: false,
};

/**
 * Helmet's headers, taken down once: they never vary, and setting a dozen headers one by one for
 * each request costs more than the rest of a small answer. `hsts` only where this node itself is
 * reached by https: in a home it would lock plain services of the same host out.
 */
export function securityHeaders(options: { hsts: boolean }): SecurityHeaders {
  const strictTransportSecurity = options.hsts && { maxAge: 31_536_000, includeSubDomains: false };
  const base = {
    strictTransportSecurity,
    xDownloadOptions: false,
    xXssProtection: false,
    xFrameOptions: { action: 'deny' as const },
  };
  const locked = {
    useDefaults: false,
    directives: { defaultSrc: none, frameAncestors: none, baseUri: none, formAction: none },
  };
  return {
    data: take({ ...base, ...forPagesOnly, contentSecurityPolicy: locked }),
    embeddable: take({
      ...base,
      ...forPagesOnly,
      contentSecurityPolicy: locked,
      crossOriginResourcePolicy: { policy: 'cross-origin' },
    }),
    page: take({
      ...base,
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: none,
          scriptSrc: self,
          styleSrc: self,
          imgSrc: [...self, 'data:'],
          fontSrc: self,
          connectSrc: self,
          mediaSrc: [...self, 'blob:'],
          workerSrc: self,
          manifestSrc: self,
          frameAncestors: none,
          baseUri: none,
          formAction: self,
        },
      },
    }),
  };
}

function take(options: Parameters<typeof helmet>[0]): FlatHeaders {
  const headers: string[] = [];
  const response = {
    setHeader: (name: string, value: string) => headers.push(name, value),
    removeHeader: () => undefined,
  };
  helmet(options)({} as IncomingMessage, response as unknown as ServerResponse, (error) => {
    if (error) throw error as Error;
  });
  return headers;
}
