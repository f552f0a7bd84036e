import {
  clusterHeaders,
  operationsOf,
  narrowLimits,
  writeClass,
  type Method,
  type NarrowLimit,
  type Operation,
  type Spec,
} from '#api/spec.ts';
import type { JsonAnswer, StreamReply } from '#api/handler.ts';
import type { Permission } from '#services/principal.ts';
import { sliceSpec, type SlicedOperation } from './slice.ts';
import { rememberValid, type RememberingValidator } from './remember.ts';
import { createOperationValidator } from './validate.ts';

/** A handler whose operation is not known at compile time; the spec has checked its call. */
export type AnyHandler = (call: never) => Promise<JsonAnswer<unknown> | StreamReply>;

/** Handlers by operationId. */
export type AnyHandlers = Readonly<Record<string, AnyHandler>>;

/** What an operation asks of its caller. */
export type Access =
  | { kind: 'public' }
  | { kind: 'authenticated' }
  | { kind: 'signed' }
  | { kind: 'permission'; permission: Permission };

/** One operation of the spec, ready to be served. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly operationId: string;
  readonly access: Access;
  /** May be proven by `?token=`. */
  readonly signed: boolean;
  readonly embeddable: boolean;
  readonly write: 'leader' | 'local' | undefined;
  readonly stream: boolean;
  /** Asked again and again in the background: not worth an info line. */
  readonly quiet: boolean;
  /** A limit per address narrower than that of all requests. */
  readonly limit: NarrowLimit | undefined;
  readonly body: 'none' | 'optional' | 'required';
  readonly bodyTypes: readonly string[];
  /** Undefined: as all others. */
  readonly bodyLimitBytes: number | undefined;
  /** Lower-case names of the headers the operation declares. */
  readonly headerNames: readonly string[];
  readonly tokenInQuery: boolean;
  /** The status of an answer that names none. */
  readonly status: number;
  readonly handler: AnyHandler;
  readonly validator: RememberingValidator;
}

const mutations: ReadonlySet<string> = new Set(['put', 'post', 'delete', 'patch']);

/**
 * Binds each operation of the spec to its handler. Throws, with all faults at once, for what must
 * not be served: an operation without `x-permission`, without a handler, without a summary, a
 * handler without an operation, two operations of one name.
 */
export function bindOperations(options: {
  spec: Spec;
  handlers: AnyHandlers;
  validateResponses: boolean;
}): Route[] {
  const { spec, handlers } = options;
  const faults: string[] = [];
  const seen = new Set<string>();
  const routes: Route[] = [];
  for (const at of operationsOf(spec)) {
    const own = [...operationFaults(at)];
    const { operationId } = at.operation;
    if (seen.has(operationId)) own.push('its operationId is another operation’s too');
    seen.add(operationId);
    const handler = handlers[operationId];
    if (!handler) own.push('no handler');
    if (handler && own.length === 0) routes.push(bind(at, handler, options));
    faults.push(...own.map((fault) => `${at.method} ${at.path} (${operationId}): ${fault}`));
  }
  for (const id of Object.keys(handlers)) {
    if (!seen.has(id)) faults.push(`handler ${id}: no such operation`);
  }
  if (faults.length > 0) throw new Error(`api: will not start\n  ${faults.join('\n  ')}`);
  return routes;
}

interface At {
  method: Method;
  path: string;
  operation: Operation;
}

/** What is wrong with an operation, as the rules of this API go (see api/README or the lint). */
export function* operationFaults({ method, path, operation }: At): Generator<string> {
  const permission: unknown = operation['x-permission'];
  if (!operation.operationId) yield 'no operationId';
  if (typeof permission !== 'string') yield 'no x-permission';
  else if (!accessOf(permission)) yield `x-permission ${permission} is none`;
  if (!operation.summary) yield 'no summary';
  if (!operation.tags?.length) yield 'no tags';
  if (!operation.responses?.['default']) yield 'no default response';
  if (permission === 'signed' && !operation['x-signed']) yield 'signed, but without x-signed';
  yield* extensionFaults(method, operation);
  if (method === 'get' && operation.requestBody) yield 'a read has no body';
  if (/\{[^}]*[^A-Za-z0-9}][^}]*\}/.test(path)) yield 'path parameters are plain names';
}

function* extensionFaults(method: Method, operation: Operation): Generator<string> {
  const write: unknown = operation['x-write'];
  if (write !== undefined && write !== 'leader' && write !== 'local') yield 'x-write is none';
  if (write !== undefined && !mutations.has(method)) yield 'a read has no x-write';
  const limit: unknown = operation['x-limit'];
  const most: unknown = operation['x-body-limit'];
  if (most !== undefined && !(Number.isSafeInteger(most) && Number(most) > 0)) {
    yield 'x-body-limit is no number of bytes';
  }
  if (limit !== undefined && !narrowLimits.some((name) => name === limit)) yield 'x-limit is none';
}

function bind(
  at: At,
  handler: AnyHandler,
  options: { spec: Spec; validateResponses: boolean },
): Route {
  const { method, path, operation } = at;
  const slice = sliceSpec(options.spec, path, method);
  const stream = operation['x-stream'] === true;
  const access = accessOf(operation['x-permission']) ?? { kind: 'authenticated' };
  const mutation = mutations.has(method);
  const named = (where: string) =>
    slice.operation.parameters.filter((parameter) => parameter.in === where);
  return {
    method,
    path,
    operationId: operation.operationId,
    access,
    signed: operation['x-signed'] === true,
    embeddable: operation['x-embeddable'] === true || operation['x-signed'] === true,
    write: mutation ? writeClass(method, operation) : undefined,
    stream,
    quiet: operation['x-quiet'] === true || operation.tags?.includes('health') === true,
    limit: operation['x-limit'] ?? (access.kind === 'public' && mutation ? 'auth' : undefined),
    ...bodyOf(slice.operation),
    bodyLimitBytes: operation['x-body-limit'],
    headerNames: named('header')
      .map(({ name }) => name.toLowerCase())
      .filter((name) => !clusterHeaders.has(name)),
    tokenInQuery: named('query').some(({ name }) => name === 'token'),
    status: successOf(slice.operation),
    handler,
    validator: rememberValid(
      createOperationValidator(slice, at, {
        validateResponses: options.validateResponses && !stream,
      }),
    ),
  };
}

function accessOf(permission: string): Access | undefined {
  if (permission === 'public' || permission === 'authenticated' || permission === 'signed') {
    return { kind: permission };
  }
  if (!/^[a-z-]+:[a-z-]+$/.test(permission)) return undefined;
  return { kind: 'permission', permission: permission as Permission };
}

function bodyOf(operation: SlicedOperation): Pick<Route, 'body' | 'bodyTypes'> {
  const { requestBody } = operation;
  if (!requestBody) return { body: 'none', bodyTypes: [] };
  const bodyTypes = Object.keys(requestBody.content).map((type) => type.toLowerCase());
  return { body: requestBody.required ? 'required' : 'optional', bodyTypes };
}

function successOf(operation: SlicedOperation): number {
  const codes = Object.keys(operation.responses).filter((code) => /^2\d\d$/.test(code));
  return codes[0] === undefined ? 200 : Number(codes[0]);
}
