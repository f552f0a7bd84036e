import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Configuration } from '../core/types.ts';
import type { EngineSettings, Profile } from '../driver/settings.ts';
import { profiles } from '../driver/settings.ts';
import { readAddress, type HostPort } from '../../addresses.ts';

export const usage = `usage: node cluster/raft/peer.ts --id n1 --listen HOST:PORT --data DIR --control HOST:PORT
  [--bootstrap n1=ADDR,n2=ADDR,…]  first members, for an empty directory; else the peer waits
  [--advertise ADDR]               where the others reach this one, if not at --listen
  [--profile lan|hashicorp]        timeouts and batches (lan); hashicorp where Go peers take part
  [--timeout MS]                   heartbeat and election timeout; the lease is half of it
  [--trailing N]                   entries kept behind a snapshot (10240)
  [--snapshot-threshold N]         entries that make a snapshot worth it (8192)
  [--snapshot-interval MS]         how often that is looked at (120000)
  [--tls DIR]                      ca.pem, cert.pem and key.pem; both ends must show a certificate
                                   whose subject (CN) or a DNS name in it is the peer's id
  [--all-ours]                     no Go peers: a snapshot whose stream broke goes on from there,
                                   which with --tls peers find out by themselves
  [--inline]                       the Raft engine in this process instead of one of its own
`;

export interface PeerOptions {
  readonly settings: EngineSettings;
  readonly control: HostPort;
  readonly isInline: boolean;
}

export class UsageError extends Error {}

/** Undefined: only help is wanted. @throws UsageError that says which flag is wrong */
export function readOptions(args: readonly string[]): PeerOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const need = (name: 'id' | 'listen' | 'data' | 'control'): string => {
    const value = values[name];
    if (!value) throw new UsageError(`--${name} is missing`);
    return value;
  };
  const id = need('id');
  const isInline = values.inline ?? false;
  const listen = parseAddress('listen', need('listen'));
  const address = values.advertise ?? need('listen');
  parseAddress('advertise', address);
  return {
    isInline,
    control: parseAddress('control', need('control')),
    settings: {
      id,
      address,
      listen,
      dir: need('data'),
      profile: profileOf(values.profile ?? 'lan', values.timeout),
      trailingEntries: parseCount('trailing', values.trailing, 10_240),
      snapshotIntervalMs: parseCount('snapshot-interval', values['snapshot-interval'], 120_000),
      snapshotThreshold: parseCount('snapshot-threshold', values['snapshot-threshold'], 8192),
      hostTimeoutMs: isInline ? 0 : 2000,
      isAllOurs: values['all-ours'] ?? false,
      ...(values.bootstrap ? { bootstrap: parseMembers(values.bootstrap, id) } : {}),
      ...(values.tls ? { tls: tlsFiles(values.tls) } : {}),
    },
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        id: text,
        listen: text,
        advertise: text,
        data: text,
        control: text,
        bootstrap: text,
        profile: text,
        timeout: text,
        trailing: text,
        'snapshot-threshold': text,
        'snapshot-interval': text,
        tls: text,
        'all-ours': { type: 'boolean' },
        inline: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function parseAddress(flag: string, text: string): HostPort {
  const address = readAddress(text);
  if (address) return address;
  throw new UsageError(`--${flag} ${text}: not a HOST:PORT`);
}

function parseCount(flag: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`--${flag} ${text}: not a whole number`);
}

function parseMembers(text: string, self: string): Configuration {
  const servers = text.split(',').map((member) => {
    const [id, address] = member.split('=');
    if (!id || !address) throw new UsageError(`--bootstrap ${member}: not an ID=HOST:PORT`);
    parseAddress('bootstrap', address);
    return { id, address, suffrage: 'voter' as const };
  });
  if (new Set(servers.map(({ id }) => id)).size < servers.length) {
    throw new UsageError('--bootstrap names a member twice');
  }
  if (!servers.some(({ id }) => id === self)) {
    throw new UsageError(`--bootstrap does not name ${self}; one that joins is started without it`);
  }
  return { servers };
}

function profileOf(name: string, timeout: string | undefined): Profile {
  if (name !== 'lan' && name !== 'hashicorp') {
    throw new UsageError(`--profile ${name}: there are lan and hashicorp`);
  }
  const profile = profiles[name];
  if (timeout === undefined) return profile;
  const ms = Math.max(10, parseCount('timeout', timeout, 0));
  return {
    ...profile,
    heartbeatTimeoutMs: ms,
    electionTimeoutMs: ms,
    leaderLeaseTimeoutMs: ms / 2,
  };
}

const tlsFiles = (dir: string) => ({
  ca: join(dir, 'ca.pem'),
  cert: join(dir, 'cert.pem'),
  key: join(dir, 'key.pem'),
});
