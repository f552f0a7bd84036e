import type { Request } from 'express';
import { problem } from '#services/errors.ts';
import {
  permits,
  type Authenticate,
  type Credentials,
  type Principal,
} from '#services/principal.ts';
import type { Access, Route } from './operations.ts';

/** Where a request's proof may come from. */
export interface Proof {
  req: Request;
  route: Route;
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, unknown>>;
  ip: string;
}

/**
 * Who calls, if the operation lets them. Public operations ask nobody, so that an old token does
 * not stand in the way of signing in. Throws `unauthenticated` and `forbidden`, and what
 * `authenticate` throws.
 */
export async function admit(
  authenticate: Authenticate,
  proof: Proof,
): Promise<Principal | undefined> {
  const { access } = proof.route;
  if (access.kind === 'public') return undefined;
  const principal = await authenticate(collectCredentials(proof));
  if (!principal) throw problem('unauthenticated', 'This needs a token or an API key');
  if (!mayUse(principal, access)) {
    throw problem('forbidden', `This needs ${nameOf(access)}`);
  }
  return principal;
}

/** What was offered as proof: `?token=` counts only where the spec says so. */
export function collectCredentials({ req, route, params, query, ip }: Proof): Credentials {
  const authorization = req.headers.authorization;
  const bearer = authorization && /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1];
  const password = authorization && passwordOf(authorization);
  if (authorization && !bearer && !password) {
    throw problem('token-invalid', 'Authorization is not `Bearer …`');
  }
  const apiKey = req.headers['x-api-key'] ?? password;
  const token = route.signed ? query['token'] : undefined;
  return {
    ip,
    ...(bearer && { bearer }),
    ...(typeof apiKey === 'string' && apiKey !== '' && { apiKey }),
    ...(typeof token === 'string' &&
      token !== '' && { signature: { token, operationId: route.operationId, params } }),
  };
}

/** An API key as the password of HTTP Basic (RFC 7617), for programs that send nothing else. */
function passwordOf(authorization: string): string | undefined {
  const encoded = /^Basic +([\w+/=-]+)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const at = decoded.indexOf(':');
  return at < 0 ? undefined : decoded.slice(at + 1);
}

/** A signed address was made for exactly this operation: its signature is the permission. */
function mayUse(principal: Principal, access: Access): boolean {
  switch (access.kind) {
    case 'public':
      return true;
    case 'signed':
      return principal.via === 'signed';
    case 'authenticated':
      return principal.via !== 'signed';
    case 'permission':
      return principal.via === 'signed' || permits(principal.permissions, access.permission);
  }
}

function nameOf(access: Access): string {
  return access.kind === 'permission'
    ? `the permission ${access.permission}`
    : 'another credential';
}
