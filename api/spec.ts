import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** One operation as the spec states it, with our two extensions. */
export interface Operation {
  readonly operationId: string;
  /** `public`, `authenticated`, or a permission such as `movies:read`. */
  readonly 'x-permission': string;
  /** Where it is carried out; `leader` for mutations unless stated, absent for reads. */
  readonly 'x-write'?: 'leader' | 'local';
  /** Bytes or an endless stream: kept away from validation of responses and from compression. */
  readonly 'x-stream'?: boolean;
  /** May be proven by `?token=` instead of a header. */
  readonly 'x-signed'?: boolean;
  /** Other pages (another node's web app, a dashboard) may show what is answered. */
  readonly 'x-embeddable'?: boolean;
  /** Asked again and again by whoever watches: logged only when it fails, or with debug. */
  readonly 'x-quiet'?: boolean;
  /**
   * `auth`: guessing must be slow here, so the strict rate limit applies, as it does to every public
   * mutation that names none. `refresh`: the proof cannot be guessed, and asking is common.
   */
  readonly 'x-limit'?: NarrowLimit;
  /** Most bytes a body may have, where that is more than the megabyte all others may. */
  readonly 'x-body-limit'?: number;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

export const narrowLimits = ['auth', 'refresh'] as const;
export type NarrowLimit = (typeof narrowLimits)[number];

export const methods = ['get', 'put', 'post', 'delete', 'patch', 'head'] as const;
export type Method = (typeof methods)[number];

type PathItem = Partial<Record<Method, Operation>> & { parameters?: object[] };

/** An OpenAPI 3.1 document; only the parts the program itself reads are typed. */
export interface Spec {
  openapi: string;
  info: { title: string; version: string; description?: string };
  paths: Record<string, PathItem>;
  components: Record<string, Record<string, unknown>>;
  [other: string]: unknown;
}

interface Topic {
  paths?: Record<string, PathItem>;
  components?: Record<string, Record<string, unknown>>;
}

const here = fileURLToPath(new URL('.', import.meta.url));

/** The topic files of `api/`, by name without `.yaml`, sorted. */
export function readTopics(folder: string = here): Map<string, Topic> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return new Map(
    names
      .sort()
      .map((name) => [
        name.slice(0, -'.yaml'.length),
        parse(readFileSync(`${folder}/${name}`, 'utf8')) as Topic,
      ]),
  );
}

function mergeInto<T>(target: Record<string, T>, source: Record<string, T>, where: string): void {
  for (const [key, value] of Object.entries(source)) {
    if (key in target) throw new Error(`api: ${where} "${key}" is defined twice`);
    target[key] = value;
  }
}

/** One document out of the topics given; a path or component that two topics define is an error. */
export function mergeTopics(topics: Iterable<Topic>, version: string): Spec {
  const spec: Spec = {
    openapi: '3.1.0',
    info: {
      title: 'Revenge',
      version,
      description: 'The API of a Revenge node. Any node of a cluster answers any request.',
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { apiKey: [] }],
    paths: {},
    components: {},
  };
  for (const topic of topics) {
    mergeInto(spec.paths, topic.paths ?? {}, 'path');
    for (const [section, entries] of Object.entries(topic.components ?? {})) {
      mergeInto((spec.components[section] ??= {}), entries, `component ${section}`);
    }
  }
  for (const at of [...operationsOf(spec)]) {
    spec.paths[at.path] = { ...spec.paths[at.path], [at.method]: withClusterHeaders(at) };
  }
  // What operations of all kinds share may have them or not.
  const shared = Object.entries(spec.components['responses'] ?? {}).map(([name, response]) => [
    name,
    name === 'Problem' ? response : withHeaders(response as object, true),
  ]);
  spec.components['responses'] = Object.fromEntries(shared) as Record<string, unknown>;
  return spec;
}

/** Of the pipeline, not of operations: handlers neither see nor set them. */
export const clusterHeaders: ReadonlySet<string> = new Set(['x-revenge-index', 'idempotency-key']);

const named = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });

/** What lets a client see its own changes on any node, and repeat them, is said here for all. */
function withClusterHeaders({ method, operation }: At): Operation {
  if (operation.tags?.includes('health') === true) return operation;
  const isRead = method === 'get' || method === 'head';
  const mayRepeat =
    writeClass(method, operation) === 'leader' && operation['x-permission'] !== 'public';
  const responses = Object.entries(operation.responses).map(([status, response]) => [
    status,
    /^2/.test(status) && !('$ref' in response) ? withHeaders(response, isRead) : response,
  ]);
  return {
    ...operation,
    parameters: [
      ...(operation.parameters ?? []),
      named('parameters', 'RevengeIndex'),
      ...(mayRepeat ? [named('parameters', 'IdempotencyKey')] : []),
    ],
    responses: Object.fromEntries(responses) as Operation['responses'],
  };
}

const withHeaders = (response: object, isRead: boolean): object => ({
  ...response,
  headers: {
    ...('headers' in response ? (response.headers as object) : {}),
    'X-Revenge-Index': named('headers', 'RevengeIndex'),
    ...(isRead ? { 'X-Revenge-Stale': named('headers', 'RevengeStale') } : {}),
  },
});

interface At {
  readonly method: Method;
  readonly path: string;
  readonly operation: Operation;
}

/** Every operation of a spec with its method and path. */
export function* operationsOf(spec: Spec): Generator<At> {
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of methods) {
      const operation = item[method];
      if (operation !== undefined) yield { method, path, operation };
    }
  }
}

/** The class of a write: mutations are carried out by the leader unless the spec says otherwise. */
export function writeClass(method: Method, operation: Operation): 'leader' | 'local' | undefined {
  if (method === 'get' || method === 'head') return operation['x-write'];
  return operation['x-write'] ?? 'leader';
}
