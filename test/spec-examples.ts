/** One request that must succeed, for the test over the whole spec. */
export interface Example {
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as they are, as what the headers say. */
  bytes?: Uint8Array<ArrayBuffer>;
  /** Whose token: the administrator's unless stated. `none` for public and signed operations. */
  as?: 'admin' | 'user' | 'none';
  /** A token of the example's own instead: for what ends its caller's session. */
  token?: string;
  /** The status to expect; the operation's first 2xx unless stated. */
  status?: number;
  /** Where to ask instead, for what the server itself is past; disposed of afterwards. */
  server?: AsyncDisposable & { readonly url: string };
}

/** What an example can ask of the server it is made for. */
export interface ExampleServer {
  readonly url: string;
  readonly adminToken: string;
  readonly userToken: string;
  /** A token of an administrator who lacks one permission. */
  tokenWithout(permission: string): Promise<string>;
}

/** Examples by operationId; a function makes what it needs first (an item to read, to delete …). */
export type Examples = Readonly<
  Record<string, Example | ((server: ExampleServer) => Promise<Example>)>
>;

/** A server to hold against a spec, with an example for each operation. */
export interface SpecServer extends ExampleServer, AsyncDisposable {
  readonly examples: Examples;
}
