import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { basename, join } from 'node:path';
import type { CreateRaft } from './types.ts';

/** A change of the core's source that makes it wrong. Production code knows nothing of it. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The rows of the bug list (docs of the research, 3.5) that it stands for. */
  readonly like?: string;
  /** A seed at or shortly before one that is known to catch it, where the first are slow to. */
  readonly seed?: number;
}

const core = join(import.meta.dirname, '../../../cluster/raft/core');
const mark = 'mutation';
const loaded = new Map<string, Mutation>();
let hasHooks = false;

export function occurrences({ file, from }: Mutation): number {
  return readFileSync(join(core, file), 'utf8').split(from).length - 1;
}

/** The core with the mutation in it, beside the right one: every module of it has a query. */
export async function loadMutant(mutation: Mutation): Promise<CreateRaft> {
  if (!hasHooks) addHooks();
  hasHooks = true;
  const number = String(loaded.size + 1);
  loaded.set(number, mutation);
  const module = (await import(`${join(core, 'raft.ts')}?${mark}=${number}`)) as {
    readonly createRaft: CreateRaft;
  };
  return module.createRaft;
}

function addHooks(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const number = mutationOf(context.parentURL);
      if (!number || !specifier.startsWith('.')) return resolved;
      return { ...resolved, url: `${resolved.url}?${mark}=${number}` };
    },
    load(url, context, next) {
      const result = next(url, context);
      const mutation = loaded.get(mutationOf(url) ?? '');
      if (!mutation || basename(new URL(url).pathname) !== mutation.file) return result;
      const source = Buffer.from(result.source as Uint8Array).toString();
      return { ...result, source: source.replace(mutation.from, () => mutation.to) };
    },
  });
}

function mutationOf(url: string | undefined): string | undefined {
  if (!url?.includes(`?${mark}=`)) return undefined;
  return new URL(url).searchParams.get(mark) ?? undefined;
}
