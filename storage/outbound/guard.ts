import { lookup as lookUp, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { OutboundError } from './outbound.ts';

/**
 * Whether an address is one of the public internet: not of a home, this machine, a cloud's
 * metadata service, or one that hides an IPv4 address in an IPv6 one (IANA's special-purpose
 * registries). Pure.
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  return ipaddr.process(address).range() === 'unicast';
}

/** Throws `refused` for an address that names a host which is not to be asked. Pure. */
export function checkUrl(url: URL, isTrusted: boolean): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new OutboundError('refused', `${url.protocol} is not asked`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!isTrusted && isIP(host) !== 0 && !isPublic(host)) throw refused(host);
}

const refused = (host: string): OutboundError =>
  new OutboundError('refused', `${host} is an address inside the home: it is not asked`);

type Resolve = (
  host: string,
  options: { all: true; family?: number; hints?: number },
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/**
 * A look-up for sockets that knows public addresses only. The socket connects to what was looked
 * at here, so a name that changes its mind between check and use gains nothing. One private
 * address among several refuses the name: it means to be reached there.
 */
export const publicLookup =
  (resolve: Resolve = lookUp): LookupFunction =>
  (host, options, done) => {
    const { family, hints } = options;
    const wanted = {
      all: true as const,
      ...(typeof family === 'number' ? { family } : {}),
      ...(hints === undefined ? {} : { hints }),
    };
    resolve(host, wanted, (error, found) => {
      if (error !== null) return done(error, []);
      const [first] = found;
      if (first === undefined || !found.every(({ address }) => isPublic(address))) {
        return done(refused(host), []);
      }
      if (options.all === true) done(null, found);
      else done(null, first.address, first.family);
    });
  };
