import { Agent, request } from 'node:http';

/** A request as it goes over the wire: `fetch` would tidy up paths and headers first. */
export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with its length; several pieces are sent in chunks, without one. */
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[];
}

/** What came back; `type` is the problem's code, for answers that are one. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  readonly type: string | undefined;
}

const agent = new Agent({ keepAlive: false });

/** Sends a request exactly as it is given. */
export function sendRaw(url: string, asked: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const { method = 'GET', path, body } = asked;
  const pieces = body === undefined ? [] : isWhole(body) ? [Buffer.from(body)] : body;
  const length = isWhole(body) ? { 'content-length': String(pieces[0]?.length) } : {};
  const headers = { ...length, ...asked.headers };
  return new Promise((resolve, reject) => {
    const sent = request({ agent, hostname, port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, bytes, text: bytes.toString(), type: typeOf(bytes, headers) });
      });
    });
    // An answer before the body is through may break the sending off: the answer is what counts.
    sent.on('error', reject);
    for (const piece of pieces) sent.write(piece);
    sent.end();
  });
}

const isWhole = (body: RawRequest['body']): body is string | Uint8Array =>
  typeof body === 'string' || body instanceof Uint8Array;

function typeOf(bytes: Buffer, headers: RawAnswer['headers']): string | undefined {
  if (headers['content-type'] !== 'application/problem+json') return undefined;
  const { type } = JSON.parse(bytes.toString()) as { type: string };
  return type.replace('/problems/', '');
}
