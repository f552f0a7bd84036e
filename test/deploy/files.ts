import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export const text = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Every file below deploy/, as a path from the project's folder; not what a person put there. */
export const deployFiles = readdirSync(join(root, 'deploy'), {
  recursive: true,
  withFileTypes: true,
})
  .filter((entry) => entry.isFile())
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .filter((path) => !path.startsWith('deploy/secrets/'));

export interface Mount {
  readonly type: string;
  readonly source?: string;
  readonly target: string;
  readonly read_only?: boolean;
}

/** Of a compose file, what the tests look at. */
export interface Service {
  readonly image: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly (string | { readonly source: string })[];
  readonly volumes?: readonly (string | Mount)[];
  readonly tmpfs?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly (string | Readonly<Record<string, unknown>>)[];
  readonly networks?: readonly string[] | Readonly<Record<string, { aliases?: string[] } | null>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly deploy?: Readonly<Record<string, unknown>>;
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, { readonly file?: string; readonly name?: string }>>;
}

export const yaml = (path: string): unknown => parse(text(path), { merge: true });
export const compose = (path: string): Compose => yaml(path) as Compose;

/** Mounts in their long form; tmpfs too. */
export function mountsOf({ volumes = [], tmpfs = [] }: Service): Mount[] {
  const long = volumes.map((mount): Mount => {
    if (typeof mount !== 'string') return mount;
    const [source = '', target = '', options = ''] = mount.split(':');
    return { type: 'volume', source, target, read_only: options === 'ro' };
  });
  return [...long, ...tmpfs.map((mount) => ({ type: 'tmpfs', target: mount.split(':')[0] ?? '' }))];
}

/** Whether a service is a node of Revenge. */
export const isNode = ({ image }: Service): boolean => image.startsWith('${IMAGE:');

/** Variables that are set for programs in `path`, with their values. */
export function environmentIn(path: string): [string, string][] {
  if (/\.ya?ml$/.test(path)) {
    const { services = {} } = compose(path);
    return Object.values(services).flatMap(({ environment = {} }) => Object.entries(environment));
  }
  return [...text(path).matchAll(/(?<=^|\s|=)([A-Z][A-Z_]+)=(\S+)/gm)].map(
    ([, name = '', value = '']) => [name, value],
  );
}
