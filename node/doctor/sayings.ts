import { fill, speaker, type Notice } from '#cluster/notices.ts';
import type { Finding } from './check.ts';

/** What is found of a machine, by codes that clients know; see api/nodes.yaml. */
export const details = {
  node: '{version}',
  nodeOld: '{version}',
  memory: '{totalBytes}',
  memoryLow: '{totalBytes}',
  folder: '{path}',
  folderNew: '{path} (made at the first start)',
  folderUnwritable: '{path} cannot be written',
  fileSystem: '{kind}',
  fileSystemRemote: '{path} is on {kind}',
  fileSystemMemory: '{path} is in memory',
  disk: '{freeBytes} free',
  diskLow: '{freeBytes} free',
  tool: '{version} ({source}: {path})',
  toolOld: '{version} ({source}: {path})',
  toolMissing: '{tool} was not found',
  encoders: '{names}',
  encodersHardware: '{names}; built with {accelerators}',
  encodersMissing: 'missing: {names}',
} as const;

/** What to do about it; what is well has none. */
export const mends = {
  nodeOld: 'run "npm ci": it brings Node 24',
  memoryLow: 'give it 1 GB, or use a PostgreSQL elsewhere (database.url)',
  folderUnwritable: 'make it and give it to this user: mkdir -p {path} && chown $(id -u) {path}',
  fileSystemRemote:
    'put data.dir on a local disk: a database and a Raft log on a network share lose data',
  fileSystemMemory: 'it is gone with the next restart: move it',
  diskLow: 'leave 2 GB for the database and pictures',
  toolOld: 'an old build for a first look: install one (apt install ffmpeg)',
  toolMissing: 'install it (apt install ffmpeg) or say where it is (media.{tool}_path)',
  encodersMissing: 'install a full build of ffmpeg',
} as const satisfies Partial<Record<keyof typeof details, string>>;

type Code = keyof typeof details;

const grave: ReadonlySet<string> = new Set<keyof typeof mends>([
  ...(['nodeOld', 'folderUnwritable', 'fileSystemRemote', 'toolMissing'] as const),
]);

/** A finding that clients can tell in another language. */
export interface MachineFinding extends Finding {
  readonly code: Code;
  readonly values: Notice['values'];
}

export const say = speaker(details);

/** What was found of a thing, and what to do about it. */
export function found(name: string, { code, values, text }: Notice<Code>): MachineFinding {
  const mend = (mends as Partial<Record<Code, string>>)[code];
  const rest = { detail: text, code, values };
  if (mend === undefined) return { name, status: 'ok', ...rest };
  const status = grave.has(code) ? 'failing' : 'warning';
  return { name, status, ...rest, mend: fill(mend, values) };
}
