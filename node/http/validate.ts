// Deep imports: the package's own entry compiles the meta-schema of OpenAPI anew for every
// validator (75 ms each, measured), and we build one small validator per operation.
import { OpenApiValidator } from 'express-openapi-validator/dist/openapi.validator.js';
import type { Request, RequestHandler, Response } from 'express';
import type { Method } from '#api/spec.ts';
import { problem, type ProblemError } from '#services/errors.ts';
import { timeFormats } from './formats.ts';
import type { Slice } from './slice.ts';

/** The parts of a request that the spec speaks about, as strings or parsed JSON. */
export interface RawRequest {
  params: Record<string, string>;
  query: Record<string, unknown>;
  /** Only headers the operation declares as parameters. */
  headers: Record<string, string>;
  contentType: string | undefined;
  body: unknown;
}

/** The same after validation: defaults filled in, parameters coerced to their types. */
export interface ValidRequest {
  params: Record<string, unknown>;
  query: Record<string, unknown>;
  body: unknown;
}

/** Checks what comes in and goes out of one operation against the spec. */
export interface OperationValidator {
  /** Compiles what the first request would otherwise wait for. */
  warm(): Promise<void>;
  /** Rejects with `bad-request` and the faults by field, or `unsupported-media-type`. */
  request(raw: RawRequest): Promise<ValidRequest>;
  /** What is wrong with an answer, or undefined; only where responses are validated. */
  response(status: number, contentType: string, body: unknown): Promise<string | undefined>;
}

interface Faults {
  status?: number;
  message: string;
  errors?: { path: string; message: string }[];
}

type Middleware = Record<'metadata' | 'request' | 'response', RequestHandler | undefined>;

const app = { enabled: () => true, param: () => undefined };
const bodyType = 'application/json';

/**
 * A validator for one operation, by express-openapi-validator. Its middlewares are given requests
 * of our own making instead of Express's: so routing is not done twice (it would compile every
 * path's expression for every request), a made-up content type cannot grow its cache, and
 * defaults do not leak into the headers others read.
 */
export function createOperationValidator(
  slice: Slice,
  at: { path: string; method: Method },
  options: { validateResponses: boolean },
): OperationValidator {
  const method = at.method.toUpperCase();
  const route = at.path.replaceAll(/\{([^}]+)\}/g, ':$1');
  const url = at.path.replaceAll(/\{[^}]+\}/g, 'x');
  let ready: Promise<{ run: Middleware; openapi: object }> | undefined;

  const prepare = async () => {
    const run = compile(slice, { ...at, route, method }, options.validateResponses);
    const probe = emptyRequest(method, url);
    await step(run.metadata, probe, {});
    return { run, openapi: probe.openapi };
  };
  const start = () => (ready ??= prepare());

  const request = async (raw: RawRequest): Promise<ValidRequest> => {
    const { run, openapi } = await start();
    const { params, query, body, headers, contentType } = raw;
    const checked = emptyRequest(method, '/');
    checked.openapi = { ...openapi, pathParams: params };
    checked.headers = contentType ? { ...headers, 'content-type': contentType } : headers;
    checked.params = params;
    checked.query = query;
    // Bytes are any, which the validator knows as a text only.
    checked.body = body instanceof Uint8Array ? '' : body;
    const fault = await step(run.request, checked, {});
    if (fault) throw toProblem(fault);
    return {
      params: checked.params,
      query: checked.query,
      body: body instanceof Uint8Array ? body : checked.body,
    };
  };

  const response = async (status: number, contentType: string, body: unknown) => {
    const { run, openapi } = await start();
    if (!run.response) return undefined;
    return checkResponse(
      run.response,
      { ...emptyRequest(method, url), openapi },
      {
        status,
        contentType,
        body,
      },
    );
  };

  const warm = async () => {
    await start();
    const contentType = slice.operation.requestBody ? bodyType : undefined;
    const empty = { params: {}, query: {}, headers: {}, contentType, body: undefined };
    await request(empty).catch(() => undefined); // refused or not, it is compiled now
  };
  return { warm, request, response };
}

function emptyRequest(method: string, url: string) {
  const query: Record<string, unknown> = {};
  const headers: Record<string, string> = {};
  const params: Record<string, unknown> = {};
  const body: unknown = undefined;
  const at = { method, originalUrl: url, path: url, baseUrl: '', app };
  // No query in originalUrl: the validator would refuse what encodeURIComponent leaves as it is.
  return { ...at, openapi: {}, query, headers, params, body };
}

function compile(
  slice: Slice,
  at: { path: string; route: string; method: string },
  validateResponses: boolean,
): Middleware {
  const validator = new OpenApiValidator({
    apiSpec: slice.document as never, // the validator mutates it: the slice is a copy
    validateRequests: { allowUnknownQueryParameters: false, coerceTypes: false },
    validateResponses,
    validateSecurity: false, // the pipeline's duty, before anything is read
    fileUploader: false,
    ajvFormats: { mode: 'full' },
    formats: timeFormats,
  });
  const routes = [
    {
      basePath: '',
      expressRoute: at.route,
      openApiRoute: at.path,
      method: at.method,
      pathParams: [...at.path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? ''),
    },
  ];
  const spec = { apiDoc: slice.document as never, basePaths: [''], routes, serial: 1 };
  const chain = validator.installMiddleware(Promise.resolve(spec)) as unknown as RequestHandler[];
  const named = (name: string) => chain.find((middleware) => middleware.name === name);
  return {
    metadata: named('metadataMiddleware'),
    request: named('requestMiddleware'),
    response: named('responseMiddleware'),
  };
}

function step(run: RequestHandler | undefined, req: object, res: object): Promise<unknown> {
  return new Promise((resolve) => {
    if (run) void run(req as Request, res as Response, resolve);
    else resolve(undefined);
  });
}

/** The middleware hooks `res.json`; an answer of ours stands in for Express's. */
async function checkResponse(
  run: RequestHandler,
  req: object,
  answer: { status: number; contentType: string; body: unknown },
): Promise<string | undefined> {
  let fault: unknown;
  const res = {
    statusCode: answer.status,
    headersSent: false,
    getHeaders: () => ({ 'content-type': answer.contentType }),
    json: (body: unknown) => body,
    status: () => res,
    end: () => res,
  };
  await new Promise<void>((resolve) => {
    void run(req as Request, res as unknown as Response, (error?: unknown) => {
      fault ??= error;
      resolve();
    });
  });
  res.json(answer.body);
  return fault ? describe(fault as Faults) : undefined;
}

function describe(fault: Faults): string {
  const parts = fault.errors?.map((error) => `${error.path} ${error.message}`) ?? [];
  return parts.length > 0 ? parts.join('; ') : fault.message;
}

function toProblem(fault: unknown): ProblemError | Error {
  const { status, message, errors = [] } = fault as Faults;
  if (status === 415) return problem('unsupported-media-type', message);
  if (status !== 400) return fault as Error;
  const fields = errors.map(({ path, message }) => ({ path, message }));
  const detail = fields.map(({ path, message }) => `${path} ${message}`).join('; ') || message;
  return problem('bad-request', detail, { errors: fields });
}
