import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { noteOpen } from './open.ts';

/** What a vendor's server says to a request; a number is a status without a body. */
export type VendorAnswer =
  | number
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly json?: unknown;
      /** Instead of JSON, as it is. */
      readonly text?: string;
      readonly bytes?: Uint8Array;
    }
  /** Begins to answer, and hangs up in the middle or never ends. */
  | 'cut'
  | 'hang';

export type Respond = (url: URL, request: IncomingMessage) => VendorAnswer | Promise<VendorAnswer>;

/** A server that stands for somebody else's. */
export interface Vendor extends AsyncDisposable {
  readonly url: string;
  /** Paths with queries, in the order they were asked for. */
  readonly asked: string[];
  respond: Respond;
}

/** Starts a vendor's server on 127.0.0.1; what it says may be changed at any time. */
export async function startVendor(respond: Respond = () => 404): Promise<Vendor> {
  const closed = noteOpen('startVendor');
  const asked: string[] = [];
  const server = createServer((request, reply) => {
    const url = new URL(request.url ?? '/', 'http://vendor');
    asked.push(url.pathname + url.search);
    void answer(reply, vendor.respond(url, request));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const vendor: Vendor = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    respond,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      closed();
    },
  };
  return vendor;
}

/** Who has hung up meanwhile is not answered. */
async function answer(
  reply: ServerResponse,
  coming: VendorAnswer | Promise<VendorAnswer>,
): Promise<void> {
  const found = await coming;
  if (!reply.destroyed) send(reply, found);
}

function send(reply: ServerResponse, answer: VendorAnswer): void {
  if (typeof answer === 'number') return void reply.writeHead(answer).end();
  if (answer === 'hang') return;
  if (answer === 'cut') {
    reply.writeHead(200, { 'content-length': '1000' });
    return void reply.write('{"page":1,', () => reply.destroy());
  }
  const { status = 200, headers, json, text, bytes } = answer;
  reply.writeHead(status, { 'content-type': 'application/json;charset=utf-8', ...headers });
  reply.end(bytes ?? text ?? JSON.stringify(json));
}
