import { open, readFile, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { SnapshotMeta } from '../core/types.ts';
import type { Content, Rest } from '../wire/resume.ts';
import {
  describing,
  finishDraft,
  headerSizeOf,
  nameOf,
  writeAll,
  type SnapshotFile,
  type SnapshotSink,
} from './draft.ts';
import { StoreError } from './errors.ts';
import { writeDurably } from './folder.ts';
import { crcOf } from './snapshot-file.ts';

/**
 * Snapshots of which a part has come. Beside the bytes lies what they are of (nothing that depends
 * on who sent them) and how many of them are durable, with their checksum: so they are gone on with
 * only for the very same snapshot, and only if they are still what was written.
 */
export interface Partials {
  /** How many bytes of it are kept, and right. Whoever still writes to it is cut off. */
  keptOf(meta: SnapshotMeta, content: Content): Promise<number>;
  /**
   * The rest, after `keptOf`; or all of it, from 0. What is kept of others is given up.
   * @throws StoreError when not just as many bytes are kept
   */
  open(meta: SnapshotMeta, rest: Rest): Promise<SnapshotSink>;
  /** Gives up those that are not newer than this. */
  drop(upTo: number): Promise<void>;
}

/** What a partial snapshot is of. */
interface Facts extends Content {
  readonly index: number;
  readonly term: number;
  readonly configurationIndex: number;
  readonly headerSize: number;
}

interface Progress extends Facts {
  readonly kept: number;
  readonly keptCrc: number;
}

interface Paths {
  readonly folder: string;
  readonly bytes: string;
  readonly progress: string;
}

interface Writing {
  readonly facts: Facts;
  /** Nothing more is written; what has come is kept. */
  keep(): Promise<void>;
}

const [bytesSuffix, progressSuffix] = ['.partial', '.progress'];
/** So many bytes may have to come again after a crash. */
const stepBytes = 16 * 1024 * 1024;

/** What is of no use is removed: bytes nobody knows anything of, and the other way round. */
export async function openPartials(folder: string): Promise<Partials> {
  const state: State = { folder, writing: undefined, checked: undefined };
  await removeBut(
    folder,
    async (name) => (await readProgress(pathsOf(folder, name))) !== undefined,
  );
  const serially = createSequence();
  return {
    keptOf: (meta, content) => serially(() => keptOf(state, meta, content)),
    open: (meta, rest) => serially(() => begin(state, meta, rest)),
    drop: (upTo) =>
      serially(async () => {
        if ((state.writing?.facts.index ?? Infinity) <= upTo) await state.writing?.keep();
        await removeBut(folder, (name) => Number(name.split('-')[0]) > upTo);
      }),
  };
}

interface State {
  readonly folder: string;
  writing: Writing | undefined;
  /** Found right by the last question, and not opened since. */
  checked: Progress | undefined;
}

async function keptOf(state: State, meta: SnapshotMeta, content: Content): Promise<number> {
  const facts = factsOf(meta, content);
  state.checked = undefined;
  if (state.writing && isSame(state.writing.facts, facts)) await state.writing.keep();
  const paths = pathsOf(state.folder, nameOf(meta));
  const progress = await readProgress(paths);
  if (!progress || !isSame(progress, facts)) return 0;
  const { kept, keptCrc, headerSize } = progress;
  const found = await crcOf(paths.bytes, headerSize, kept);
  if (found.bytes !== kept || found.crc !== keptCrc) {
    await remove(paths);
    return 0;
  }
  state.checked = progress;
  return kept;
}

async function begin(state: State, meta: SnapshotMeta, rest: Rest): Promise<SnapshotSink> {
  const name = nameOf(meta);
  const paths = pathsOf(state.folder, name);
  const facts = factsOf(meta, rest);
  const { checked } = state;
  state.checked = undefined;
  await state.writing?.keep();
  const isKnown = checked && isSame(checked, facts) && checked.kept === rest.from;
  if (rest.from > 0 && !isKnown)
    throw new StoreError(`${paths.bytes} does not end at ${rest.from}`);
  await removeBut(state.folder, (other) => other === name && rest.from > 0);
  const file = await describing(`beginning ${paths.bytes}`, async () => {
    const opened = await open(paths.bytes, rest.from > 0 ? 'r+' : 'wx', 0o600);
    await opened.truncate(facts.headerSize + rest.from);
    return opened;
  });
  return createPartialSink(state, {
    file,
    paths,
    facts,
    meta,
    kept: rest.from > 0 ? checked : undefined,
  });
}

interface Begun {
  readonly file: FileHandle;
  readonly paths: Paths;
  readonly facts: Facts;
  readonly meta: SnapshotMeta;
  readonly kept: Progress | undefined;
}

function createPartialSink(state: State, begun: Begun): SnapshotSink {
  const { file, paths, facts, meta } = begun;
  let size = begun.kept?.kept ?? 0;
  let crc = begun.kept?.keptCrc ?? 0;
  let saved = size;
  let last: Promise<void> = Promise.resolve();
  let ending: Promise<unknown> | undefined;

  async function save(): Promise<void> {
    if (size === saved) return;
    const progress: Progress = { ...facts, kept: size, keptCrc: crc };
    await file.sync();
    await writeDurably(paths.progress, JSON.stringify(progress));
    saved = progress.kept;
  }

  async function put(chunk: Uint8Array): Promise<void> {
    await writeAll(file, chunk, facts.headerSize + size);
    size += chunk.length;
    crc = crc32(chunk, crc);
    if (size - saved >= stepBytes) await save();
  }

  /** The first way to end is the only one. */
  function end<T>(how: () => Promise<T>): Promise<unknown> {
    ending ??= (async () => {
      try {
        await last;
        return await how();
      } finally {
        await file.close().catch(() => undefined);
        if (state.writing === writing) state.writing = undefined;
      }
    })();
    return ending;
  }

  async function finish(): Promise<SnapshotFile> {
    if (size !== facts.size) {
      await save();
      throw new StoreError(`${paths.bytes} has ${size} bytes, ${facts.size} were announced`);
    }
    if (crc !== facts.crc) {
      await remove(paths);
      throw new StoreError(`${paths.bytes} is not what was announced: its checksum is wrong`);
    }
    const { folder, bytes: from } = paths;
    const path = join(folder, `${nameOf(meta)}.snapshot`);
    const done = await finishDraft({ file, from, folder, path, meta, size, crc });
    await remove(paths);
    return done;
  }

  const over = () => new StoreError(`${paths.bytes} is no longer written`);
  const keep = async () => {
    await end(() => describing(`keeping ${paths.bytes}`, save));
  };
  const writing: Writing = { facts, keep };
  state.writing = writing;
  return {
    write(chunk) {
      if (ending) return Promise.reject(over());
      if (size + chunk.length > facts.size) {
        return Promise.reject(new StoreError(`${paths.bytes} would be longer than announced`));
      }
      last = last.then(() => describing(`writing ${paths.bytes}`, () => put(chunk)));
      return last;
    },
    async commit() {
      if (ending) throw over();
      return (await end(finish)) as SnapshotFile;
    },
    abort: keep,
  };
}

const factsOf = (meta: SnapshotMeta, { size, crc }: Content): Facts => ({
  index: meta.index,
  term: meta.term,
  configurationIndex: meta.configurationIndex,
  headerSize: headerSizeOf(meta),
  size,
  crc,
});

const isSame = (a: Facts, b: Facts): boolean =>
  a.index === b.index &&
  a.term === b.term &&
  a.configurationIndex === b.configurationIndex &&
  a.headerSize === b.headerSize &&
  a.size === b.size &&
  a.crc === b.crc;

const pathsOf = (folder: string, name: string): Paths => ({
  folder,
  bytes: join(folder, `${name}${bytesSuffix}`),
  progress: join(folder, `${name}${progressSuffix}`),
});

/** Undefined: there is none that says anything, or nothing that it could be of. */
async function readProgress({ bytes, progress }: Paths): Promise<Progress | undefined> {
  try {
    await (await open(bytes)).close();
    const found = JSON.parse(await readFile(progress, 'utf8')) as Progress;
    return Number.isSafeInteger(found.kept) && found.kept > 0 ? found : undefined;
  } catch {
    return undefined; // then it begins anew
  }
}

async function remove({ bytes, progress }: Paths): Promise<void> {
  await rm(progress, { force: true });
  await rm(bytes, { force: true });
}

async function removeBut(
  folder: string,
  isWanted: (name: string) => boolean | Promise<boolean>,
): Promise<void> {
  const isOurs = (file: string) => file.endsWith(bytesSuffix) || file.endsWith(progressSuffix);
  const files = (await readdir(folder)).filter(isOurs);
  for (const name of new Set(files.map((file) => file.slice(0, file.lastIndexOf('.'))))) {
    if (!(await isWanted(name))) await remove(pathsOf(folder, name));
  }
}

/** One after the other, whatever becomes of each. */
function createSequence() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}
