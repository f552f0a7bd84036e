/**
 * Opening an embedded PostgreSQL to the other nodes of a cluster, and closing it again. What is
 * open is written beside the data, so that it is open after a restart too.
 */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { readIfThere, writeOwned } from './owned-file.ts';
import type { Keeper } from './keeper.ts';
import type { Launch } from './postmaster.ts';
import { admitMember, asSuperuser, dismissMembers, ensureMembers, memberRole } from './roles.ts';

/** How to open it. All texts are PEM. */
export type MemberOptions = {
  /** As `listen_addresses` takes it: an address, several with commas, or `*`. */
  listen: { host: string; port: number };
  tls: {
    /** The certificate that members check, leaf first, and its key. */
    cert: string;
    key: string;
    /** A member has to show a certificate of one of these authorities. */
    ca: string;
  };
  /** How many sessions all members together may have; 140 unless told otherwise. */
  connections?: number;
};

/** What a member needs to know; at which addresses it finds this machine is the caller's matter. */
export type MemberAccess = { port: number; user: string; password: string; database: string };

/** What is remembered of an opening; the keys and certificates are files of the data folder. */
export type Opening = { host: string; port: number; connections: number };

export type Doors = {
  /**
   * Opens the server to members: over TLS 1.3, to one database, for those that `admitMember` has
   * named. Restarts PostgreSQL when it must (other addresses, other
   * port, other number of connections), reloads it for other certificates, does nothing when
   * nothing has changed. Resolves when the certificate is being shown.
   * Throws, and leaves PostgreSQL as it was, when key and certificate do not fit or the port is
   * taken.
   */
  openToMembers: (options: MemberOptions) => Promise<void>;
  /**
   * Lets this node in, by its certificate of the cluster and a password that only it is told, as a
   * role of its own that is no superuser. Its password of before opens no more; sessions that are
   * open stay. Throws unless the server is open to members.
   */
  admitMember: (nodeId: string) => Promise<MemberAccess>;
  /**
   * Neither password nor certificate lets these nodes in from then on, and their sessions end;
   * nothing changes for the others. Resolves to how many of them had been let in.
   */
  dismissMembers: (nodeIds: Iterable<string>) => Promise<number>;
  /** Only the socket is left: members lose their connections and their password. */
  closeToMembers: () => Promise<void>;
};

const ownConnections = 140;
const files = { pair: 'server.pem', clients: 'clients.pem', rules: 'pg_hba.conf' } as const;
const probeMs = 5_000;
const pollMs = 20;

const openingFile = (dataDir: string) => join(dataDir, 'pg-members.json');

/** What was opened before this start, if anything. */
export async function readOpening(dataDir: string): Promise<Opening | undefined> {
  const text = await readIfThere(openingFile(dataDir));
  return text === undefined ? undefined : (JSON.parse(text) as Opening);
}

/** The settings an opening adds to those of a server that only has its socket. */
export function openSettings(
  opening: Opening,
  base: Record<string, string>,
): Record<string, string> {
  return {
    listen_addresses: opening.host,
    port: String(opening.port),
    max_connections: String(Number(base['max_connections'] ?? 100) + opening.connections),
    ssl: 'on',
    // One file for both, so that there is no moment at which they do not fit.
    ssl_cert_file: files.pair,
    ssl_key_file: files.pair,
    ssl_ca_file: files.clients,
    ssl_min_protocol_version: 'TLSv1.3',
    password_encryption: 'scram-sha-256',
    // Whoever knocks without saying who it is holds a place: not for a minute, the default.
    authentication_timeout: '10s',
  };
}

/** Who may come in: over the socket its owner; over TCP nobody, or members. */
export async function writeRules(launch: Launch, database?: string): Promise<boolean> {
  const lines = ['# Written by revenge at each start.', 'local all all trust'];
  if (database !== undefined) {
    const who = `"${database}" +"${memberRole}" all`;
    // The whole name in the certificate has to be the role's: a password alone is of no use.
    lines.push(`hostssl ${who} scram-sha-256 clientcert=verify-full clientname=DN`);
  }
  return writeOwned(join(launch.cluster, files.rules), `${lines.join('\n')}\n`, launch.owner);
}

/**
 * Opens and closes the server that `keeper` keeps; `closed` is how it runs with its socket only.
 */
export function createDoors(deps: {
  dataDir: string;
  database: string;
  closed: Launch;
  keeper: Keeper;
}): Doors {
  const { dataDir, database, closed, keeper } = deps;
  const { socketDir: socket, log } = closed;
  const administer = { socket, database: 'postgres', log };
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined); // whoever asked is told; the next begins anew
    return done;
  };
  const arrange = async (next: Launch) => {
    if (isSame(next.settings, keeper.launch().settings)) return false;
    await asSuperuser(administer, (sql) => sql`checkpoint`);
    const began = performance.now();
    await keeper.relaunch(next);
    log.info('PostgreSQL was restarted', { ms: Math.round(performance.now() - began) });
    return true;
  };
  const open = async (options: MemberOptions): Promise<void> => {
    const leaf = checkPair(options.tls);
    const opening = { ...options.listen, connections: options.connections ?? ownConnections };
    const next = {
      ...closed,
      settings: { ...closed.settings, ...openSettings(opening, closed.settings) },
    };
    await checkFree(next.settings, keeper.launch().settings);
    await asSuperuser(administer, ensureMembers);
    const changed = [
      await writeRules(closed, database),
      ...(await writeTls(closed, options.tls)),
    ].includes(true);
    const restarted = await arrange(next);
    if (changed && !restarted) keeper.reload();
    const us = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    await writeOwned(openingFile(dataDir), `${JSON.stringify(opening)}\n`, us);
    await shows(opening, leaf.fingerprint256);
    log.info('PostgreSQL is open to members', { host: opening.host, port: opening.port });
  };
  const admit = async (nodeId: string): Promise<MemberAccess> => {
    const opening = await readOpening(dataDir);
    if (!opening) throw new Error('this PostgreSQL is not open to members');
    const password = randomBytes(24).toString('base64url');
    const { port, connections } = opening;
    const wish = { nodeId, password, connections };
    const user = await asSuperuser(administer, (sql) => admitMember(sql, wish));
    return { port, user, password, database };
  };
  const dismiss = (isMeant: (nodeId: string) => boolean) =>
    asSuperuser(administer, (sql) => dismissMembers(sql, isMeant));
  const close = async () => {
    // First of all, so that whatever comes between, the next start is one with closed doors.
    await rm(openingFile(dataDir), { force: true });
    await dismiss(() => true);
    await writeRules(closed);
    await arrange(closed);
    for (const name of [files.pair, files.clients]) {
      await rm(join(closed.cluster, name), { force: true });
    }
  };
  return {
    openToMembers: (options) => inTurn(() => open(options)),
    admitMember: (nodeId) => inTurn(() => admit(nodeId)),
    dismissMembers: (nodeIds) => inTurn(() => dismiss(among(nodeIds))),
    closeToMembers: () => inTurn(close),
  };
}

function among(nodeIds: Iterable<string>): (nodeId: string) => boolean {
  const all = new Set(nodeIds);
  return (nodeId) => all.has(nodeId);
}

async function writeTls(launch: Launch, tls: MemberOptions['tls']): Promise<boolean[]> {
  const write = (name: string, text: string) =>
    writeOwned(join(launch.cluster, name), text, launch.owner);
  return [
    await write(files.pair, `${tls.cert.trim()}\n${tls.key.trim()}\n`),
    await write(files.clients, `${tls.ca.trim()}\n`),
  ];
}

/** PostgreSQL that cannot read its certificate does not start: better to know before. */
function checkPair({ cert, key, ca }: MemberOptions['tls']): X509Certificate {
  const leaf = new X509Certificate(cert);
  if (!leaf.checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the key does not belong to the certificate that members would be shown');
  }
  if (!new X509Certificate(ca).ca) throw new Error('what members are checked by is no authority');
  return leaf;
}

/** Throws the system's error (EADDRINUSE, EADDRNOTAVAIL …) where PostgreSQL could not listen. */
async function checkFree(next: Record<string, string>, now: Record<string, string>): Promise<void> {
  const isOurs = (now['listen_addresses'] ?? '') !== '' && now['port'] === next['port'];
  if (isOurs) return;
  for (const host of (next['listen_addresses'] ?? '').split(',')) {
    await new Promise<void>((resolve, reject) => {
      const server = createServer().once('error', reject);
      const { port } = next;
      const name = host.trim();
      const where = name === '*' ? {} : { host: name };
      server.listen({ ...where, port: Number(port) }, () => server.close(() => resolve()));
    });
  }
}

const isSame = (one: Record<string, string>, other: Record<string, string>) =>
  Object.keys({ ...one, ...other }).every((key) => one[key] === other[key]);

/**
 * Waits until the server shows this certificate: a reload comes some milliseconds after its call.
 */
async function shows({ host, port }: Opening, fingerprint: string): Promise<void> {
  const until = performance.now() + probeMs;
  let seen: string | undefined;
  while (performance.now() < until) {
    seen = await shown(dialable(host), port);
    if (seen === fingerprint) return;
    await pause(pollMs);
  }
  const what = seen === undefined ? 'does not answer' : 'still shows another certificate';
  throw new Error(`PostgreSQL ${what} on ${host} port ${port}`);
}

function dialable(host: string): string {
  const [first = ''] = host.split(',').map((one) => one.trim());
  if (first === '*' || first === '0.0.0.0') return '127.0.0.1';
  return first === '::' ? '::1' : first;
}

/** The certificate that a server shows; whether to trust it is not the question here. */
function shown(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTls({
      ...{ host, port, rejectUnauthorized: false, ALPNProtocols: ['postgresql'] },
      timeout: probeMs,
    });
    const say = () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256);
      socket.destroy();
    };
    socket.once('secureConnect', say);
    socket.once('timeout', say);
    socket.once('error', () => resolve(undefined)); // asked again until the time is up
  });
}
