import type { Readable } from 'node:stream';
import type { Principal } from '#services/principal.ts';
import type { operations } from './types.ts';

/** The name of one operation of the spec. */
export type OperationId = keyof operations;

type Parameter<
  Id extends OperationId,
  In extends 'path' | 'query' | 'header',
> = operations[Id] extends { parameters: Record<In, infer P> }
  ? NonNullable<P>
  : operations[Id] extends { parameters: Partial<Record<In, infer P>> }
    ? NonNullable<P>
    : Record<never, never>;

/** What is not JSON comes as its bytes. */
type Body<Id extends OperationId> = operations[Id] extends {
  requestBody: { content: { 'application/json': infer B } };
}
  ? B
  : operations[Id] extends { requestBody?: { content: { 'application/json': infer B } } }
    ? B | undefined
    : operations[Id] extends { requestBody: { content: object } }
      ? Uint8Array
      : undefined;

type Success = 200 | 201 | 202 | 204 | 206;

type JsonReply<Id extends OperationId> = operations[Id] extends { responses: infer R }
  ? {
      [S in keyof R & Success]: R[S] extends { content: { 'application/json': infer B } }
        ? B
        : undefined;
    }[keyof R & Success]
  : never;

/** What a handler may know of the request itself; tokens and Express stay outside. */
export interface RequestFacts {
  readonly id: string;
  readonly ip: string;
  readonly userAgent: string | undefined;
  /** Lower-case names; only what the spec's operation may need (`range`, `accept`, `if-range` …). */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly method: string;
  /** Aborted when the client is gone or the node's patience is over. */
  readonly signal: AbortSignal;
}

/** One validated request. `principal` is undefined only for operations that are `public`. */
export interface Call<Id extends OperationId> {
  readonly params: Parameter<Id, 'path'>;
  readonly query: Parameter<Id, 'query'>;
  readonly body: Body<Id>;
  readonly principal: Principal | undefined;
  readonly request: RequestFacts;
}

/** Bytes instead of JSON: images, media ranges, playlists, event streams. */
export interface StreamReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  /** Undefined for `HEAD`, 204, 304 and 416. */
  readonly stream: Readable | Uint8Array | string | undefined;
  /**
   * For what takes long to send: throws a problem once the caller, as that one is by now, shall not
   * have the rest of it.
   */
  readonly recheck?: (caller: Principal) => Promise<unknown>;
}

/** A JSON answer; `status` defaults to the only 2xx the operation has. */
export interface JsonAnswer<Body> {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Body;
}

/** Carries out one operation: data in, data out. Expected failures are thrown as `problem(…)`. */
export type Handler<Id extends OperationId> = (
  call: Call<Id>,
) => Promise<JsonAnswer<JsonReply<Id>> | StreamReply>;

/** All handlers; the compiler names the one that is missing. */
export type Handlers = { [Id in OperationId]: Handler<Id> };

/** The part of the handlers that one module brings. */
export type HandlersOf<Id extends OperationId> = { [Key in Id]: Handler<Key> };
