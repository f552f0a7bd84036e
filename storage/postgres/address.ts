/** One place where a PostgreSQL may listen. */
export type Host = { host: string; port: number } | { path: string };

/**
 * TLS with a server that is known by its name and not by where it is, and that wants to know us
 * by a certificate too. All but the name are PEM.
 */
export type ClientTls = {
  /** Has to be among the DNS names in the server's certificate. */
  serverName: string;
  ca: string;
  cert: string;
  key: string;
};

/** Where PostgreSQL is: a URL (several hosts are allowed in it) or the embedded one's socket. */
export type PostgresAddress =
  | {
      url: string;
      /** Asked for each new connection; the server has to be a PostgreSQL 17 or later. */
      tls?: () => ClientTls | Promise<ClientTls>;
      /** The URL as it is now: whenever hosts are chosen, and for the password. */
      latest?: () => string | Promise<string>;
    }
  | { socket: string; database?: string; user?: string };

/** What `target_session_attrs` may say (libpq, section "Parameter Key Words"). */
export type SessionKind = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby';

/** An address taken apart: whom to call, and the URL the driver reads everything else from. */
export type Parsed = { hosts: Host[]; url: string; sessions: SessionKind };

const defaultPort = 5432;
const sessionKinds: readonly string[] = ['any', 'read-write', 'read-only', 'primary', 'standby'];

/**
 * Reads `postgres://user:secret@one:5432,two/name?target_session_attrs=read-write`; a socket's
 * folder may stand as `?host=/folder`. With several hosts the default is one that takes writes.
 * Throws (without the secret) on an address that cannot be one.
 */
export function parseAddress(address: PostgresAddress): Parsed {
  if (!('url' in address)) return socketAddress(address);
  const match = /^(postgres(?:ql)?:\/\/)((?:[^@/?]*@)?)([^/?]*)(.*)$/.exec(address.url);
  if (!match) throw new Error('database.url must look like postgres://user@host:5432/name');
  const [, scheme, credentials, list, rest] = match as unknown as [string, ...string[]];
  const url = new URL(`${scheme}${credentials}localhost${rest}`);
  const folder = url.searchParams.get('host');
  const hosts = folder?.startsWith('/')
    ? [socketPath(folder, Number(url.searchParams.get('port') ?? defaultPort))]
    : (list || 'localhost').split(',').map(parseHost);
  const sessions = sessionKind(url, hosts.length);
  for (const key of ['host', 'port', 'target_session_attrs']) url.searchParams.delete(key);
  return { hosts, url: url.href, sessions };
}

/** What of an address may change while it is used. */
export type Moving = { hosts: () => Promise<Host[]>; password?: () => Promise<string> };

/** Asks an address that may change for what it is now; another stays as it was parsed. */
export function followAddress(address: PostgresAddress, { hosts }: Parsed): Moving {
  const latest = 'url' in address ? address.latest : undefined;
  if (!latest) return { hosts: async () => hosts };
  const parse = async () => parseAddress({ url: await latest() });
  return {
    hosts: async () => (await parse()).hosts,
    password: async () => decodeURIComponent(new URL((await parse()).url).password),
  };
}

function socketAddress(address: { socket: string; database?: string; user?: string }): Parsed {
  const url = new URL('postgres://localhost');
  url.username = address.user ?? 'postgres';
  url.pathname = address.database ?? 'revenge';
  return { hosts: [socketPath(address.socket, defaultPort)], url: url.href, sessions: 'any' };
}

function socketPath(folder: string, port: number): Host {
  return { path: `${folder}/.s.PGSQL.${port}` };
}

function parseHost(text: string): Host {
  const [, six, name, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = six ?? name;
  const port = Number(digits ?? defaultPort);
  if (!host || port < 1 || port > 65_535) throw new Error(`database.url: "${text}" is no host`);
  return { host: decodeURIComponent(host), port };
}

function sessionKind(url: URL, hosts: number): SessionKind {
  const wanted = url.searchParams.get('target_session_attrs');
  if (wanted === null) return hosts > 1 ? 'read-write' : 'any';
  if (sessionKinds.includes(wanted)) return wanted as SessionKind;
  throw new Error(`database.url: target_session_attrs=${wanted} is not supported`);
}

/** For log lines: `host:port` or the socket's path. */
export function hostName(host: Host): string {
  return 'path' in host ? host.path : `${host.host}:${host.port}`;
}
