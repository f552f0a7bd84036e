import type { PeerRef, Request, Response } from '#cluster/raft/core/types.ts';
import {
  requestFromWire,
  requestToWire,
  responseFromWire,
  responseToWire,
} from '#cluster/raft/wire/convert.ts';
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '#cluster/raft/wire/messages.ts';

/** The one place where the simulator meets the wire: whatever travels was bytes on its way. */
export function throughWire(request: Request): Request {
  return requestFromWire(decodeRequest(Buffer.concat(encodeRequest(requestToWire(request)))));
}

export function backThroughWire(response: Response, self: PeerRef): Response {
  const bytes = encodeResponse(responseToWire(response, self));
  return responseFromWire(decodeResponse(response.kind, bytes));
}
