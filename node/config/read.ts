import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { keys, variablesOf, type Config, type ConfigKey, type Key } from './keys.ts';

/** Where a value comes from: `default`, a variable's name, a file's path, or a command's option. */
export type Origin = string;

export interface ReadConfig {
  readonly values: Config;
  readonly origins: Readonly<Record<ConfigKey, Origin>>;
  /** Keys that are set although this version does nothing with them. */
  readonly warnings: readonly string[];
}

export interface ConfigInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of config.yaml; `REVENGE_CONFIG` outranks it. */
  readonly file?: string | undefined;
  /** Values given on the command line; they outrank everything. */
  readonly options?: Partial<Record<ConfigKey, unknown>>;
}

/** Every fault of a configuration at once, one line each. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

interface Found {
  value: unknown;
  origin: Origin;
}

const names = Object.keys(keys) as ConfigKey[];

/** Variables that a cluster manager sets for a service called "revenge", or that are not settings. */
const foreign = [
  /^REVENGE_SERVICE_(HOST|PORT)/,
  /^REVENGE_PORT(_|$)/,
  /^REVENGE_TEST_/,
  /^REVENGE_(CONFIG|URL|TOKEN|API_KEY)$/,
];

function readSecretFile(path: string, variable: string, faults: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    faults.push(`${variable}: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}

function fromEnvironment(env: ConfigInput['env'], faults: string[]): Map<ConfigKey, Found> {
  const found = new Map<ConfigKey, Found>();
  const known = new Set<string>();
  for (const name of names) {
    for (const variable of variablesOf(name)) {
      known.add(variable).add(`${variable}_FILE`);
      const direct = env[variable];
      const path = env[`${variable}_FILE`];
      if (direct !== undefined && path !== undefined) {
        faults.push(`${variable}: given twice, also as ${variable}_FILE; keep one of them`);
      }
      const value =
        direct ??
        (path === undefined ? undefined : readSecretFile(path, `${variable}_FILE`, faults));
      const origin = direct === undefined ? `${variable}_FILE` : variable;
      if (value !== undefined && !found.has(name)) found.set(name, { value, origin });
    }
  }
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('REVENGE_') || known.has(variable)) continue;
    if (foreign.some((pattern) => pattern.test(variable))) continue;
    faults.push(`${variable}: no such setting${nearest(variable, known)}`);
  }
  return found;
}

function flatten(value: unknown, path: string, into: Map<string, unknown>): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [part, inner] of Object.entries(value)) {
      flatten(inner, path === '' ? part : `${path}.${part}`, into);
    }
  } else if (value !== null && path !== '') {
    into.set(path, value);
  }
}

function fromFile(path: string, isRequired: boolean, faults: string[]): Map<ConfigKey, Found> {
  const found = new Map<ConfigKey, Found>();
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || isRequired) faults.push(`${path}: cannot be read (${code})`);
    return found;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  for (const error of document.errors) {
    const { line } = lines.linePos(error.pos[0]);
    const [said = ''] = error.message.split('\n');
    faults.push(`${path}:${line}: ${said.replace(/ at line \d+, column \d+:$/, '')}`);
  }
  if (document.errors.length > 0) return found;
  const content: unknown = document.toJS({ maxAliasCount: 10 });
  if (content !== null && (typeof content !== 'object' || Array.isArray(content))) {
    faults.push(`${path}: expected keys and values, like "server:" with "  port: 8080" below it`);
    return found;
  }
  const flat = new Map<string, unknown>();
  flatten(content, '', flat);
  const known = new Set<string>(names);
  for (const [name, value] of flat) {
    if (known.has(name)) found.set(name as ConfigKey, { value, origin: path });
    else faults.push(`${path}: ${name}: ${noSuchKey(name, known)}`);
  }
  return found;
}

function noSuchKey(name: string, known: Iterable<string>): string {
  const below = [...known].find((key) => key.startsWith(`${name}.`));
  if (below === undefined) return `no such key${nearest(name, known)}`;
  return `holds further keys and no value itself, as in ${below}`;
}

/** Suggests the known name that differs least, when it is close enough to be meant. */
function nearest(name: string, known: Iterable<string>): string {
  let best = '';
  let least = 4;
  for (const candidate of known) {
    const distance = editDistance(name, candidate, least);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best === '' ? '' : `; did you mean ${best}?`;
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? limit;
}

/** Each address needs a key of its own. */
const arrFaults = (values: Partial<Config>): string[] =>
  (['radarr', 'sonarr'] as const).flatMap((name) => {
    const [urls, apiKeys] = [values[`arr.${name}.url`], values[`arr.${name}.api_key`]];
    if (urls === undefined || apiKeys === undefined || urls.length === apiKeys.length) return [];
    return [`arr.${name}.api_key: expected one for each address of arr.${name}.url`];
  });

/**
 * Reads the configuration: command line > environment > config.yaml > defaults.
 * Throws ConfigError with every fault at once, each by its key with the form expected.
 */
export function readConfig({ env, file, options = {} }: ConfigInput): ReadConfig {
  const faults: string[] = [];
  const chosen = env['REVENGE_CONFIG'] ?? file;
  const sources = [
    new Map(
      names.flatMap((name) =>
        options[name] === undefined
          ? []
          : [[name, { value: options[name], origin: 'command line' }] as const],
      ),
    ),
    fromEnvironment(env, faults),
    fromFile(chosen ?? 'config.yaml', chosen !== undefined, faults),
  ];
  const values: Partial<Record<ConfigKey, unknown>> = {};
  const origins: Partial<Record<ConfigKey, Origin>> = {};
  const warnings: string[] = [];
  for (const name of names) {
    const entry: Key = keys[name];
    const found = sources.map((source) => source.get(name)).find((hit) => hit !== undefined);
    const result = entry.schema.safeParse(found?.value ?? entry.fallback);
    if (!result.success) {
      const expected = [...new Set(result.error.issues.map((issue) => issue.message))].join('; ');
      faults.push(`${name}: expected ${expected} (from ${found?.origin ?? 'default'})`);
      continue;
    }
    values[name] = result.data;
    origins[name] = found?.origin ?? 'default';
    if (found !== undefined && entry.isReserved) {
      warnings.push(`${name} is set (${found.origin}) but has no effect in this version`);
    }
  }
  faults.push(...arrFaults(values as Partial<Config>));
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    values: Object.freeze(values) as Config,
    origins: origins as Record<ConfigKey, Origin>,
    warnings,
  };
}

/** The configuration as rows for people: key, value (secrets masked), origin, help. */
export function describeConfig({ values, origins }: ReadConfig): {
  key: ConfigKey;
  value: string | null;
  origin: Origin;
  live: boolean;
  help: string;
}[] {
  return names.map((name) => {
    const entry: Key = keys[name];
    const value: unknown = values[name];
    const shown = value === undefined ? null : entry.isSecret ? '********' : asText(value, name);
    return {
      key: name,
      value: shown,
      origin: origins[name],
      live: entry.isLive === true,
      help: entry.help,
    };
  });
}

function asText(value: unknown, name: ConfigKey): string {
  if (Array.isArray(value)) return value.join(', ');
  const { fallback }: Key = keys[name];
  const isSpan = typeof value === 'number' && typeof fallback === 'string';
  if (!isSpan) return String(value);
  return /B$/.test(fallback) ? `${value} bytes` : `${value} ms`;
}
