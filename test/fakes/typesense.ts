import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { noteOpen } from '../open.ts';
import { createContract } from './typesense-contract.ts';
import { passes, searchFake, type FakeDocument } from './typesense-search.ts';

interface Collection {
  readonly name: string;
  readonly fields: readonly { name: string; type: string; optional?: boolean }[];
  readonly created_at: number;
  readonly documents: Map<string, FakeDocument>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A Typesense in memory, on a port of its own, that holds every message to the contract. */
export interface FakeTypesense extends AsyncDisposable {
  readonly url: string;
  readonly apiKey: string;
  /** What broke the contract; a test ends with this being empty. */
  readonly faults: string[];
  readonly collections: Map<string, Collection>;
  readonly aliases: Map<string, string>;
  /** Requests so far, as `POST /multi_search`. */
  readonly requests: string[];
  /** How it behaves from now on: as it should, answering 503, never answering, hanging up. */
  behave(mode: 'well' | 'unavailable' | 'silent' | 'gone'): void;
  /** Import refuses documents this returns true for. */
  refuse(which: (document: FakeDocument) => boolean): void;
}

const ok = (body: unknown): Answer => ({ status: 200, body });
const absent: Answer = { status: 404, body: { message: 'Not Found' } };
const apiKey = 'fake-typesense-key';

/** Starts one. */
export async function fakeTypesense(): Promise<FakeTypesense> {
  const closed = noteOpen('fakeTypesense');
  const contract = createContract();
  const collections = new Map<string, Collection>();
  const aliases = new Map<string, string>();
  const faults: string[] = [];
  const requests: string[] = [];
  let mode: Parameters<FakeTypesense['behave']>[0] = 'well';
  let isRefused: (document: FakeDocument) => boolean = () => false;
  const state: State = { collections, aliases, isRefused: (document) => isRefused(document) };

  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://fake');
      requests.push(`${request.method ?? ''} ${url.pathname}`);
      if (mode === 'gone') return void request.socket.destroy();
      if (mode === 'silent') return;
      const text = await textOf(request);
      if (mode === 'unavailable') return send(response, { status: 503, body: { message: 'Lag' } });
      if (request.headers['x-typesense-api-key'] !== apiKey) {
        return send(response, { status: 401, body: { message: 'Forbidden' } });
      }
      const method = (request.method ?? 'GET').toLowerCase();
      const operation = contract.operationOf(method, url.pathname);
      if (operation === undefined) {
        faults.push(`${method} ${url.pathname} is not in the contract`);
        return send(response, absent);
      }
      const isLines = operation.endsWith('/import');
      const body: unknown = isLines || text === '' ? text : JSON.parse(text);
      const type = request.headers['content-type'] ?? '';
      const before = contract.requestFaults(operation, { query: url.searchParams, body, type });
      const answer = carryOut(state, operation, { url, body });
      const after = contract.answerFaults(operation, answer.status, answer.body);
      faults.push(...[...before, ...after].map((fault) => `${operation}: ${fault}`));
      send(response, answer);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    apiKey,
    faults,
    collections,
    aliases,
    requests,
    behave: (wanted) => void (mode = wanted),
    refuse: (which) => void (isRefused = which),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      closed();
    },
  };
}

interface State {
  readonly collections: Map<string, Collection>;
  readonly aliases: Map<string, string>;
  readonly isRefused: (document: FakeDocument) => boolean;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
  response.writeHead(status, { 'content-type': type });
  response.end(isText ? body : JSON.stringify(body));
}

const shown = ({ documents, ...collection }: Collection) => ({
  ...collection,
  num_documents: documents.size,
});

interface Request {
  readonly url: URL;
  readonly body: unknown;
  /** What the path names, an alias or a collection. */
  readonly name: string;
}

type Of = (collection: Collection, request: Request, state: State) => Answer;

function carryOut(state: State, operation: string, sent: Omit<Request, 'name'>): Answer {
  const name = decodeURIComponent(sent.url.pathname.split('/')[2] ?? '');
  const request = { ...sent, name };
  const whole = onServer[operation];
  if (whole !== undefined) return whole(state, request);
  const collection = state.collections.get(state.aliases.get(name) ?? name);
  const one = onCollection[operation];
  if (one === undefined) throw new Error(`the fake does not know ${operation}`);
  return collection === undefined ? absent : one(collection, request, state);
}

const onCollection: Record<string, Of> = {
  'get /collections/{collectionName}': (collection) => ok(shown(collection)),
  'delete /collections/{collectionName}': (collection, _, { collections }) => {
    collections.delete(collection.name);
    return ok(shown(collection));
  },
  'delete /collections/{collectionName}/documents': (collection, { url }) =>
    removeBy(collection, url.searchParams.get('filter_by') ?? ''),
  'post /collections/{collectionName}/documents/import': (collection, { body }, state) =>
    importLines(state, collection, body as string),
};

const onServer: Record<string, (state: State, request: Request) => Answer> = {
  'get /health': () => ok({ ok: true }),
  'get /collections': ({ collections }) => ok([...collections.values()].map(shown)),
  'post /collections': (state, { body }) => create(state, body as Collection),
  'get /aliases/{aliasName}': (state, { name }) =>
    state.aliases.has(name) ? ok(aliasOf(state, name)) : absent,
  'put /aliases/{aliasName}': (state, { name, body }) => {
    state.aliases.set(name, (body as { collection_name: string }).collection_name);
    return ok(aliasOf(state, name));
  },
  'delete /aliases/{aliasName}': (state, { name }) => {
    if (!state.aliases.has(name)) return absent;
    const alias = aliasOf(state, name);
    state.aliases.delete(name);
    return ok(alias);
  },
  'post /multi_search': (state, { body }) =>
    ok({ results: (body as { searches: Search[] }).searches.map((one) => find(state, one)) }),
};

type Search = Record<string, string>;

const aliasOf = ({ aliases }: State, name: string) => ({
  name,
  collection_name: aliases.get(name),
});

function create(state: State, { name, fields }: Collection): Answer {
  if (state.collections.has(name)) return { status: 409, body: { message: 'exists' } };
  const collection = { name, fields, created_at: 1, documents: new Map<string, FakeDocument>() };
  state.collections.set(name, collection);
  return { status: 201, body: shown(collection) };
}

function removeBy(collection: Collection, filter: string): Answer {
  const doomed = [...collection.documents.values()].filter((one) => passes(one, filter));
  for (const { id } of doomed) collection.documents.delete(id);
  return ok({ num_deleted: doomed.length });
}

function importLines(state: State, collection: Collection, lines: string): Answer {
  const verdicts = lines.split('\n').map((line) => {
    const document = JSON.parse(line) as FakeDocument;
    const lacking = collection.fields.find(
      ({ name, optional }) => optional !== true && document[name] === undefined,
    );
    if (lacking !== undefined || state.isRefused(document)) {
      const error = `Field \`${lacking?.name ?? 'id'}\` has been declared in the schema, but is not found.`;
      return { success: false, error, document: line, code: 400 };
    }
    collection.documents.set(document.id, document);
    return { success: true };
  });
  return ok(verdicts.map((verdict) => JSON.stringify(verdict)).join('\n'));
}

function find(state: State, search: Search): object {
  const name = search['collection'] ?? '';
  const collection = state.collections.get(state.aliases.get(name) ?? name);
  if (collection === undefined) return { code: 404, error: 'Not found.' };
  return searchFake([...collection.documents.values()], search);
}
