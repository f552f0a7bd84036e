import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Member } from '#cluster/member/member.ts';
import { pause as pauseUntil } from '#cluster/member/pause.ts';
import type { Identity } from '#cluster/trust/identity.ts';
import type { Store } from '#services/changes.ts';
import type { Log } from '#services/log.ts';
import { searchSchema } from '#services/search/index.ts';
import type { InvalidationClock } from '#storage/cache/clock.ts';
import { createCache, type Cache } from '#storage/cache/index.ts';
import { createOutbox } from '#storage/cluster/outbox.ts';
import { createMedia, type MediaEngine } from '#storage/media/index.ts';
import { createOutbound, type Outbound } from '#storage/outbound/index.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import type { TypesenseEngine } from '#storage/search/typesense.ts';
import { createRedis, type RedisEngine } from '#storage/redis/redis.ts';
import type { Config } from './config/keys.ts';
import { openMember, type MemberWish } from './cluster/member.ts';
import { openDatabase, type OpenDatabase } from './database.ts';
import { createLiveEvents, type LiveEvents } from './events/live.ts';
import { termsOfWork } from './fence.ts';
import { untilReachable, untilTold, type ReachDeps } from './reach.ts';
import type { Metrics } from './metrics.ts';
import { createWrite } from './write.ts';

/** What keeps bytes, and the order of changes; everything above is built on these. */
export interface Engines {
  readonly open: OpenDatabase;
  readonly sql: Sql;
  readonly store: Store;
  readonly redis: RedisEngine | undefined;
  readonly clock: InvalidationClock;
  /** This node's part in its cluster. */
  readonly member: Member;
  /** Live changes, of all nodes. */
  readonly events: LiveEvents;
  readonly cache: Cache;
  readonly media: MediaEngine;
  /** Asks servers of others. */
  readonly outbound: Outbound;
  /** Undefined where none is configured: PostgreSQL searches. */
  readonly typesense: TypesenseEngine | undefined;
  /** For what can be made again from media: pictures and their sizes. */
  readonly picturesDir: string;
}

export interface EngineOptions extends ReachDeps {
  readonly config: Config;
  readonly identity: Identity;
  /** How others reach this node, and what they may ask of it. */
  readonly cluster: Pick<
    MemberWish,
    | 'version'
    | 'apiPort'
    | 'onHandedOn'
    | 'database'
    | 'onBarred'
    | 'doing'
    | 'hints'
    | 'calls'
    | 'onNetwork'
  >;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Told when a cached value is served past its time because its source does not answer. */
  readonly onStale: (ageMs: number) => void;
  /** Whether whoever asks now wants nothing cached. */
  readonly isBypassed: () => boolean;
  /** Told when something is written that not every node knows yet. */
  readonly onUnannounced: () => void;
}

const mediaIdleMs = 60_000;

/** Opens the engines in order, hands them to `stack`, and brings the database up to date. */
export async function openEngines(
  options: EngineOptions,
  stack: AsyncDisposableStack,
): Promise<Engines> {
  const { config, log, metrics, now } = options;
  const ask = () => untilTold(options);
  const open = stack.use(await openDatabase(config, log, { ask }));
  const { sql } = open.database;
  // What takes away from nodes of the release before is the leader's to do, once there are none.
  await untilReachable(open, options, () => open.migrator.up(undefined, { level: 0 }));
  const url = config['cache.url'];
  const redis = url === undefined ? undefined : stack.use(createRedis({ url, log }));
  const outbox = createOutbox(sql);
  const member = stack.use(await openMember({ ...options, ...options.cluster, sql, outbox }));
  const { clock, currency } = member;
  const events = stack.use(
    createLiveEvents({
      ...{ member, log, now, randomId: randomUUID, pause: pauseUntil },
      onDropped: (count, why) => metrics.eventsDropped.inc({ why }, count),
    }),
  );
  const write = createWrite({
    ...{ sql, outbox, terms: termsOfWork, randomId: randomUUID },
    announce: events.announce,
    ...{ encodeEvent: events.encode, onUnannounced: options.onUnannounced },
  });
  const cache = createCache({
    clock,
    redis,
    log,
    now,
    onStale: options.onStale,
    isCutOff() {
      if (options.isBypassed()) return true;
      const ageMs = currency.ageMs();
      const isCutOff = ageMs > config['cluster.max_staleness'];
      if (isCutOff) options.onStale(ageMs);
      return isCutOff;
    },
    l1MaxBytes: config['cache.l1_size'],
    onLookup: ({ type, tier, outcome }) => metrics.cacheLookups.inc({ type, tier, outcome }),
  });
  const media = stack.use(
    createMedia({
      ffmpegPath: config['media.ffmpeg_path'],
      ffprobePath: config['media.ffprobe_path'],
      log,
      now,
      processes: config['media.processes'] > 1 ? 2 : 1,
      idleMs: mediaIdleMs,
      perMountLimit: config['media.per_mount'],
    }),
  );
  const outbound = stack.use(openOutbound(config, options.cluster.version));
  const typesense = await openTypesense(options, stack);
  const picturesDir = join(config['data.dir'], 'pictures');
  return {
    open,
    sql,
    store: { sql, write },
    redis,
    clock,
    member,
    events,
    cache,
    media,
    outbound,
    typesense,
    picturesDir,
  };
}

/** What an operator has named may be asked wherever it is. */
const openOutbound = (config: Config, version: string): Outbound =>
  createOutbound({
    trusted: [
      config['metadata.tmdb.url'],
      config['metadata.tvdb.url'],
      ...(config['arr.radarr.url'] ?? []),
      ...(config['arr.sonarr.url'] ?? []),
    ].filter((url) => url !== undefined),
    userAgent: `Revenge/${version}`,
  });

/** Its client is large and most homes have no Typesense, so it is loaded only for those who do. */
async function openTypesense(
  { config, log, now }: EngineOptions,
  stack: AsyncDisposableStack,
): Promise<TypesenseEngine | undefined> {
  const url = config['search.url'];
  if (url === undefined) return undefined;
  const { createTypesenseSearch } = await import('#storage/search/typesense.ts');
  const apiKey = config['search.api_key'] ?? '';
  return stack.use(createTypesenseSearch({ schema: searchSchema, log, now }, { url, apiKey }));
}
