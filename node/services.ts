import { randomBytes } from 'node:crypto';
import manifest from '#package.json' with { type: 'json' };
import { createActivity } from '#services/activity/index.ts';
import { createArtwork } from '#services/artwork/index.ts';
import { createBackups, type BackupDeps } from '#services/backup/index.ts';
import { createCalendar } from '#services/calendar/index.ts';
import { createContent, hasItem, nameOf, pictureParts, seesItem } from '#services/content/index.ts';
import { createNfoWriting } from '#services/content/nfo-job.ts';
import { ProblemError } from '#services/errors.ts';
import { createJobs } from '#services/jobs/index.ts';
import {
  createLibrary,
  mediaOfSeen,
  ourPath,
  readMappings,
  type LibraryDeps,
  type OnItemsChanged,
} from '#services/library/index.ts';
import type { Log } from '#services/log.ts';
import { createMeasures } from '#services/measures/index.ts';
import { createMetadata, type MetadataDeps } from '#services/metadata/index.ts';
import { subject } from '#services/metadata/kind.ts';
import { peopleNamed } from '#services/people/store.ts';
import { createPeoplePages } from '#services/people/pages.ts';
import { createPlayback } from '#services/playback/index.ts';
import { createProgress } from '#services/progress/index.ts';
import type { ProgressKind } from '#services/progress/kinds.ts';
import { summariesOf } from '#services/progress/lists.ts';
import {
  createSearch,
  createSearchChanges,
  searchSchema,
  type Decoration,
  type SearchChanges,
} from '#services/search/index.ts';
import { createSettings, type Settings } from '#services/settings/index.ts';
import { createTranslations } from '#services/translations/index.ts';
import {
  createMemoryCounters,
  createRedisCounters,
  createUsers,
  ensureSecret,
  type VerifySignature,
} from '#services/users/index.ts';
import { createBlobs, type Blobs } from '#storage/blobs/index.ts';
import { createPostgresSearch } from '#storage/search/postgres.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { timeOf } from '#storage/postgres/time.ts';
import type { Config } from './config/keys.ts';
import type { Engines } from './engines.ts';
import type { Metrics } from './metrics.ts';
import { createProviders } from './providers.ts';

export interface ServicesDeps {
  readonly config: Config;
  readonly engines: Engines;
  readonly metrics: Metrics;
  readonly nodeId: string;
  readonly log: Log;
  readonly now: () => number;
}

const secretBytes = 32;
/** Heartbeats come ten times a second. */
const silentMs = 4_000;
/** What goes before frames of videos, which are put off again after waiting so long for it. */
const better = ['library', 'metadata'] as const;
const idleMaxMs = 120_000;

/** People: accounts, sessions, keys, settings, and the log of what they did. */
export async function createPeople(
  deps: Pick<ServicesDeps, 'config' | 'log' | 'now'> & {
    engines: Pick<Engines, 'store' | 'sql' | 'cache' | 'redis'>;
    verifySignature?: VerifySignature;
  },
) {
  const { config, engines, log, now } = deps;
  const { store, cache, sql, redis } = engines;
  const settings = createSettings({ store, cache, now });
  const retentionDays = () => settings.get('activity.retention_days');
  const activity = createActivity({ store, retentionDays, log, now });
  const fallback = createMemoryCounters({ now });
  const users = createUsers({
    ...{ store, cache, settings, log, now },
    secrets: {
      jwtSecret:
        config['auth.jwt_secret'] ?? (await ensureSecret(sql, 'jwt', { sizeBytes: secretBytes })),
    },
    counters: redis === undefined ? fallback : createRedisCounters({ redis, fallback }),
    random: (sizeBytes) => randomBytes(sizeBytes),
    ...(deps.verifySignature === undefined ? {} : { verifySignature: deps.verifySignature }),
  });
  return { settings, activity, users };
}

export type Services = Awaited<ReturnType<typeof createServices>>;

/** What pictures are of. */
const works = { hasItem, nameOf, seesItem, parts: pictureParts };

/** Everything the product does, wired. */
export async function createServices(deps: ServicesDeps) {
  const { config, engines, metrics, nodeId, log, now } = deps;
  const { store, cache, sql, events, outbound } = engines;
  const unseen = new Set<string>();
  const media = mediaOfSeen(engines.media, unseen);
  const signingKey = await ensureSecret(sql, 'signing', { sizeBytes: secretBytes });
  const jobs = createJobs({
    ...store,
    ...{ log, now, events, nodeId, random: Math.random },
    isLeader: () => engines.member.offices.current() !== undefined,
    silentNodes: () => engines.member.autopilot.silent(silentMs),
    onFinish: ({ name, outcome, durationMs }) =>
      metrics.jobDuration.observe({ name, outcome }, durationMs / 1000),
  });
  const perMountLimit = config['media.per_mount'];
  const playback = createPlayback({ store, cache, media, signingKey, log, now, perMountLimit });
  const people = await createPeople({ ...deps, verifySignature: playback.verifySignature });
  const nfo = createNfoWriting({ sql, media, log: log.child({ module: 'nfo' }) });
  const blobs = blobsOf(deps);
  const whenIdle = (signal: AbortSignal) => jobs.whenIdle(better, { withinMs: idleMaxMs, signal });
  const pictured = { store, cache, media, jobs, blobs, signingKey, outbound, log };
  const artwork = createArtwork({ ...pictured, ...works, whenIdle });

  const primary = engines.typesense;
  const fallback = createPostgresSearch({ sql, schema: searchSchema });
  const engineNames = [primary, fallback].flatMap((engine) => engine?.name ?? []);
  const indexing = { jobs, engines: engineNames, instance: nodeId, now };
  const changes = both(createSearchChanges(indexing), nfo);
  const content = createContent({
    ...{ ...store, cache, now, images: artwork, search: changes, random: Math.random },
    onIdsSet: (tx, kind, id) => metadata.idsSet(tx, kind, id),
    onOrderSet: (tx, kind, id) => metadata.moreWanted(tx, kind, id),
    onItemsChanged: (tx, kind, ids) => onItemsChanged(tx, kind, ids),
  });
  const search = createSearch({
    ...{ store, cache, jobs, primary, fallback, sources: content.searchSources, log, now },
    decorate: (items) => decorationsOf({ sql, kinds: content.kinds }, items),
    personIds: (names) => peopleNamed(sql, names),
  });
  const { kinds, compounds } = content;
  const { settings } = people;
  const metadata = metadataOf(deps, { jobs, search: changes, artwork, content, settings });
  const calendar = createCalendar({ sql, now, name: () => settings.get('server.name') });
  const progress = createProgress({ ...store, kinds, compounds, now: timeOf });
  const onItemsChanged: OnItemsChanged = async (tx, kind, ids) => {
    await changes.changed(tx, kind, ids);
    await artwork.filesChanged(tx, kind, ids);
    await metadata.changed(tx, kind, ids);
  };
  const measures = createMeasures({ store, media, whenIdle, log, clock: () => performance.now() });
  const told = { onItemsChanged, onProbed: measures.filesProbed };
  const library = libraryOf(deps, { jobs, media, unseen, settings, content, ...told });
  const backups = backupsOf(deps, { settings, jobs, blobs });
  const parts = [people.users, people.activity, artwork, search, metadata, library, backups];
  const workers = [...parts, nfo, measures];
  return {
    ...people,
    ...{ jobs, playback, artwork, content, search, progress, library, backups, measures },
    searchHealth: primary && ((signal: AbortSignal) => search.health(signal)),
    jobHandlers: workers.flatMap((part) => part.jobs),
    handlers: createTranslations({ sql, cache }).over({
      ...{ ...people.users.handlers, ...people.settings.handlers, ...people.activity.handlers },
      ...jobs.handlers,
      ...playback.handlers,
      ...artwork.handlers,
      ...{ ...content.handlers, ...metadata.handlers, ...calendar.handlers },
      ...{ ...search.handlers, ...progress.handlers, ...library.handlers },
      ...{ ...backups.handlers, ...createPeoplePages({ sql, ...content }).handlers },
    }),
  };
}

const blobsOf = ({ config, engines, log, now }: ServicesDeps) =>
  createBlobs({ dir: engines.picturesDir, maxBytes: config['media.image_cache'], log, now });

/** Tells both of what changes. */
const both = (...told: readonly SearchChanges[]): SearchChanges => ({
  async changed(tx, kind, ids) {
    for (const one of told) await one.changed(tx, kind, ids);
  },
});

function metadataOf(
  deps: ServicesDeps,
  {
    content,
    settings,
    ...services
  }: Pick<MetadataDeps, 'jobs' | 'search' | 'artwork'> & {
    content: ReturnType<typeof createContent>;
    settings: Settings;
  },
) {
  const { engines, log, now, nodeId } = deps;
  const providers = createProviders(deps);
  const ourPaths = async () => {
    const mappings = readMappings(await settings.get('library.path_mappings'));
    return (path: string) => ourPath(path, mappings);
  };
  return createMetadata({
    ...{ ...services, store: engines.store, log, now, random: Math.random, instance: nodeId },
    seesItem,
    subjects: [
      subject(content.enriched.movie, providers.films),
      subject(content.enriched.series, providers.series),
    ],
    arr: { servers: providers.arr, ourPaths },
    languages: async () => listOf(await settings.get('metadata.languages')),
  });
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);

const libraryOf = (
  { engines, config, nodeId, log, now }: ServicesDeps,
  {
    content,
    settings,
    ...parts
  }: Pick<LibraryDeps, 'jobs' | 'media' | 'unseen' | 'onItemsChanged' | 'onProbed'> & {
    content: ReturnType<typeof createContent>;
    settings: Settings;
  },
) =>
  createLibrary({
    ...{ ...parts, store: engines.store, events: engines.events, log, now, nodeId },
    dataDir: config['data.dir'],
    modules: new Map(content.modules.map((module) => [module.kind, module])),
    allowedFolders: config['media.folders'],
    missingGraceDays: () => settings.get('library.missing_grace_days'),
    vanishPercent: () => settings.get('library.vanish_percent'),
    pathMappings: () => settings.get('library.path_mappings'),
  });

const backupsOf = (
  { engines, log, now }: ServicesDeps,
  { blobs, ...services }: Pick<BackupDeps, 'settings' | 'jobs'> & { blobs: Blobs },
) =>
  createBackups({
    ...{ ...services, store: engines.store, log, now, application: manifest.version },
    readPicture: (sha256) => blobs.get(sha256),
    clusterId: () => engines.member.state.view().clusterId,
  });

/** What search results are shown with, by `<kind>:<id>`: what lists show, too. */
async function decorationsOf(
  deps: { sql: Sql; kinds: readonly ProgressKind[] },
  items: readonly { kind: string; id: string }[],
): Promise<Map<string, Decoration>> {
  const entries = items.map(({ kind, id }) => ({ kind, itemId: id }));
  // Found for somebody, so seen by them.
  const summaries = await summariesOf(deps, entries, {});
  return new Map(
    [...summaries.values()].map(({ kind, id, images: { poster }, episode }) => [
      `${kind}:${id}`,
      { ...(poster && { poster }), ...(episode && { episode }) },
    ]),
  );
}

/** Makes film libraries of the folders given at the start; a folder that has one keeps it. */
export async function ensureMovieLibraries(
  { library }: Services,
  folders: readonly string[],
  log: Log,
): Promise<void> {
  for (const folder of folders) {
    const ensured = await ensureMovieLibrary(library, folder);
    log.info('library', { libraryId: ensured.library.id, folder, scanId: ensured.scan.id });
  }
}

const namesMax = 100;

/** `Movies`, or where another folder has that name already, `Movies 2` and so on. */
async function ensureMovieLibrary(library: Services['library'], folder: string) {
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'Movies' : `Movies ${number}`;
    try {
      return await library.ensureLibrary({ kind: 'movie', name, paths: [folder] });
    } catch (error) {
      const isTaken = error instanceof ProblemError && error.code === 'conflict';
      if (!isTaken || number === namesMax) throw error;
    }
  }
}
