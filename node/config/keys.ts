import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { features } from '#cluster/state/features.ts';
import { defaultDataFolder } from './data-folder.ts';
import { duration, flag, hostPort, list, oneOf, port, secret, size, text, url } from './values.ts';
import { whole } from './values.ts';

/** One configuration key: its form, default, and how it behaves. */
export interface Key<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  /** In the form a person would write; undefined means "not set". */
  readonly fallback?: unknown;
  readonly help: string;
  /** Never printed. */
  readonly isSecret?: true;
  /** Takes effect without a restart. */
  readonly isLive?: true;
  /** Accepted because clients of the configuration know it, but nothing reads it yet. */
  readonly isReserved?: true;
  /** Further environment variables that mean the same. */
  readonly alsoFrom?: readonly string[];
}

const key = <Schema extends z.ZodType>(
  schema: Schema,
  help: string,
  more: Omit<Key, 'schema' | 'help'> = {},
) => ({ schema, help, ...more }) as const;

const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.optional();
const reserved = { isReserved: true } as const;
const hidden = { isSecret: true } as const;

/** A value, or a list of them. */
const several = <Schema extends z.ZodType<string, string>>(schema: Schema) =>
  list.pipe(z.array(schema).min(1, 'one at least').max(16, '16 at most'));

const arr = (name: string, more: Omit<Key, 'schema' | 'help'> = {}) => ({
  url: key(maybe(several(url('http', 'https'))), `address of ${name}; of several, one by one`, {
    ...more,
    alsoFrom: [`REVENGE_${name.toUpperCase()}_URL`],
  }),
  apiKey: key(maybe(several(text)), `API key of ${name}; of several, in the same order`, {
    ...more,
    ...hidden,
    alsoFrom: [`REVENGE_${name.toUpperCase()}_API_KEY`],
  }),
});
const [radarr, sonarr, lidarr, whisparr, chaptarr, prowlarr] = [
  arr('radarr'),
  arr('sonarr'),
  arr('lidarr', reserved),
  arr('whisparr', reserved),
  arr('chaptarr', reserved),
  arr('prowlarr', reserved),
] as const;

/**
 * Every key of the configuration by its YAML path; the environment variable is `REVENGE_` and the
 * path in upper case with `_` for `.`.
 */
export const keys = {
  'data.dir': key(text, 'folder for everything this node keeps', {
    fallback: defaultDataFolder(process.getuid?.()),
  }),
  'server.port': key(port, 'port of the API and the web app', { fallback: 8080 }),
  'server.host': key(text, 'address to listen on', { fallback: '0.0.0.0' }),
  'server.public_url': key(maybe(url('http', 'https')), 'address under which clients reach it'),
  'server.trust_proxy': key(list, 'proxies whose X-Forwarded-For is believed', { fallback: [] }),
  'server.rate_limit.per_address': key(
    whole(0, 100_000_000),
    'requests a minute from one address; 0: no limit',
    { fallback: 12_000 },
  ),
  'server.rate_limit.per_user': key(
    whole(0, 100_000_000),
    'requests a minute with one session or key; 0: no limit',
    { fallback: 6_000 },
  ),
  'metrics.port': key(maybe(port), 'own listener for /metrics; absent: only with admin:metrics'),
  'metrics.host': key(text, 'address of that listener', { fallback: '127.0.0.1' }),
  'log.level': key(oneOf(['error', 'warn', 'info', 'debug']), 'least severe level logged', {
    fallback: 'info',
    isLive: true,
  }),
  'log.format': key(oneOf(['auto', 'json', 'text']), 'auto: text on a terminal, else json', {
    fallback: 'auto',
  }),

  'database.driver': key(z.literal('postgres', { error: 'postgres' }), 'the only one', {
    fallback: 'postgres',
  }),
  'database.url': key(
    maybe(url('postgres', 'postgresql')),
    'PostgreSQL 18, several hosts allowed; absent: an embedded one in the data folder',
    hidden,
  ),
  'database.pool.max_conns': key(whole(2, 200), 'connections at most', {
    fallback: 2 * availableParallelism() + 1,
  }),
  'database.pool.min_conns': key(whole(0, 200), 'connections kept open', { fallback: 2 }),
  'database.pool.max_lifetime': key(duration, 'age at which a connection is renewed', {
    fallback: '30m',
  }),
  'database.pool.max_idle': key(duration, 'idle time after which it is closed', {
    fallback: '5m',
  }),

  'cache.url': key(
    maybe(url('redis', 'rediss')),
    'Dragonfly or another Redis-protocol server; absent: cache in this process only',
    hidden,
  ),
  'cache.l1_size': key(size, 'memory for cached answers', { fallback: '48MB' }),
  'search.url': key(maybe(url('http', 'https')), 'Typesense; absent: search in PostgreSQL'),
  'search.api_key': key(maybe(text), 'API key of Typesense', hidden),

  'media.ffmpeg_path': key(maybe(text), 'absent: ffmpeg on PATH, else an old one from npm'),
  'media.ffprobe_path': key(maybe(text), 'absent: ffprobe on PATH, else an old one from npm'),
  'media.processes': key(whole(1, 16), 'processes that touch media files', { fallback: 1 }),
  'media.per_mount': key(whole(1, 64), 'calls at once on one mount', { fallback: 8 }),
  'media.image_cache': key(size, 'disk for resized pictures', { fallback: '2GB' }),
  'library.watch': key(flag, 'hear of changes on local disks at once', { fallback: true }),
  'media.folders': key(list, 'where the folder picker may look', { fallback: ['/'] }),

  'cluster.enabled': key(
    flag,
    'open to others from the first start on; `cluster init` does it too',
    {
      fallback: false,
    },
  ),
  'cluster.mode': key(z.literal('raft', { error: 'raft' }), 'the only one', { fallback: 'raft' }),
  'cluster.node_id': key(maybe(text), 'made once and kept in the data folder'),
  'cluster.join_token': key(maybe(text), 'lets this node into the cluster of join_addrs', hidden),
  'cluster.raft.bind_addr': key(hostPort, 'where Raft listens', { fallback: '0.0.0.0:7000' }),
  'cluster.raft.advertise_addr': key(
    maybe(hostPort),
    'where peers reach it; its host counts for the other ports too; absent: found out',
  ),
  'cluster.rpc.bind_addr': key(hostPort, 'where nodes ask each other, and newcomers to join', {
    fallback: '0.0.0.0:7001',
  }),
  'cluster.gossip.bind_addr': key(hostPort, 'where hints are exchanged', {
    fallback: '0.0.0.0:7002',
  }),
  'cluster.database.bind_addr': key(
    hostPort,
    'where members reach an embedded PostgreSQL, once the node is open to them',
    { fallback: '0.0.0.0:7003' },
  ),
  'cluster.raft.data_dir': key(maybe(text), 'absent: data folder + /raft'),
  'cluster.raft.bootstrap': key(flag, 'found the cluster that others join', { fallback: false }),
  'cluster.raft.bootstrap_expect': key(
    maybe(whole(1, 9)),
    'so many empty nodes found a cluster together, once they see each other in database.url',
  ),
  'cluster.raft.join_addrs': key(list, 'RPC addresses of members, host:port or dns:name:port', {
    fallback: [],
  }),
  'cluster.discovery.lan': key(
    flag,
    'members that lost each other call out on the local network (UDP multicast, port 7004)',
    { fallback: true },
  ),
  'cluster.raft.heartbeat_timeout': key(duration, 'silence before an election', {
    fallback: '1s',
  }),
  'cluster.raft.election_timeout': key(duration, 'time for one election', { fallback: '1s' }),
  'cluster.raft.snapshot_interval': key(duration, 'how often to look', { fallback: '120s' }),
  'cluster.raft.snapshot_threshold': key(whole(16, 10_000_000), 'entries before a snapshot', {
    fallback: 8192,
  }),
  'cluster.feature_level': key(
    maybe(whole(features.min, features.max)),
    'the highest that this node takes part in; absent: that it knows; see docs/cluster.md',
  ),
  'cluster.max_staleness': key(duration, 'age at which cached reads are bypassed', {
    fallback: '10s',
  }),

  'auth.jwt_secret': key(maybe(secret), 'signs access tokens; absent: made once and kept', {
    ...hidden,
    alsoFrom: ['REVENGE_JWT_SECRET'],
  }),
  'encryption.key': key(maybe(secret), 'encrypts stored credentials', {
    ...hidden,
    ...reserved,
  }),
  'oidc.client_secret': key(maybe(secret), 'secret of the OIDC client', { ...hidden, ...reserved }),
  'legacy.enabled': key(flag, 'the private library', { fallback: false, ...reserved }),
  'legacy.encryption_key': key(maybe(secret), 'its own key', { ...hidden, ...reserved }),
  'legacy.privacy.require_pin': key(flag, 'ask for the PIN', { fallback: true, ...reserved }),
  'legacy.privacy.audit_all_access': key(flag, 'log each access', { fallback: true, ...reserved }),
  'legacy.stashdb.api_key': key(maybe(text), 'API key of StashDB', {
    ...hidden,
    ...reserved,
    alsoFrom: ['REVENGE_STASHDB_API_KEY'],
  }),
  'metadata.tmdb.api_key': key(maybe(text), 'API key or token of TMDb; absent: it is not asked', {
    ...hidden,
    alsoFrom: ['REVENGE_TMDB_API_KEY'],
  }),
  'metadata.tmdb.url': key(url('http', 'https'), 'where TMDb is asked; may be a mirror at home', {
    fallback: 'https://api.themoviedb.org/3',
  }),
  'metadata.tvdb.api_key': key(maybe(text), 'API key of TheTVDB; absent: it is not asked', {
    ...hidden,
    alsoFrom: ['REVENGE_TVDB_API_KEY'],
  }),
  'metadata.tvdb.pin': key(maybe(text), 'PIN of a subscriber, for keys that need one', hidden),
  'metadata.tvdb.url': key(url('http', 'https'), 'where TheTVDB is asked', {
    fallback: 'https://api4.thetvdb.com/v4',
  }),
  'metadata.tvdb.order': key(
    oneOf(['aired', 'dvd', 'absolute']),
    'how TheTVDB counts episodes: as shown, as on discs, through all seasons',
    { fallback: 'aired' },
  ),
  'metadata.providers': key(
    list.pipe(z.array(oneOf(['tmdb', 'tvdb']))),
    'who is asked, the first first; the next where it knows nothing or does not answer',
    { fallback: ['tmdb', 'tvdb'] },
  ),
  'qos.bandwidth': key(maybe(text), 'uplink, such as 100mbit', reserved),

  'arr.radarr.url': radarr.url,
  'arr.radarr.api_key': radarr.apiKey,
  'arr.sonarr.url': sonarr.url,
  'arr.sonarr.api_key': sonarr.apiKey,
  'arr.lidarr.url': lidarr.url,
  'arr.lidarr.api_key': lidarr.apiKey,
  'arr.whisparr.url': whisparr.url,
  'arr.whisparr.api_key': whisparr.apiKey,
  'arr.chaptarr.url': chaptarr.url,
  'arr.chaptarr.api_key': chaptarr.apiKey,
  'arr.prowlarr.url': prowlarr.url,
  'arr.prowlarr.api_key': prowlarr.apiKey,
} as const satisfies Record<string, Key>;

export type ConfigKey = keyof typeof keys;

/** The whole configuration, by key, every value parsed. */
export type Config = { readonly [K in ConfigKey]: z.output<(typeof keys)[K]['schema']> };

/** The environment variables that set a key, its own first. */
export function variablesOf(name: ConfigKey): string[] {
  const own = `REVENGE_${name.toUpperCase().replaceAll('.', '_')}`;
  const { alsoFrom = [] }: Key = keys[name];
  return [own, ...alsoFrom];
}
