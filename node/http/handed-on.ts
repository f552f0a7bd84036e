import type { IncomingMessage } from 'node:http';

/** What the node that handed a request on says of it. */
export interface HandedOnFrom {
  readonly nodeId: string;
  /** The client's address there; undefined when it did not say. */
  readonly ip: string | undefined;
}

/** Beside the requests, not in their headers: what a client sends can never be taken for it. */
const marks = new WeakMap<IncomingMessage, HandedOnFrom>();

/** Marks a request that came from a node of the cluster, by mutual TLS. */
export function markHandedOn(req: IncomingMessage, from: HandedOnFrom): void {
  marks.set(req, from);
}

export const handedOnFrom = (req: IncomingMessage): HandedOnFrom | undefined => marks.get(req);
