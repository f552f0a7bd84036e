import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Doing } from '#cluster/member/pulse.ts';
import type { Log } from '#services/log.ts';
import type { Config } from './config/keys.ts';
import type { MemberWish } from './cluster/member.ts';
import { markHandedOn } from './http/handed-on.ts';

export interface Inside {
  readonly port: number;
  readonly handle: (req: IncomingMessage, res: ServerResponse) => void;
  readonly doing: () => Doing;
}

export interface Door {
  /** What the cluster's side asks of the rest of the node. */
  readonly wish: Pick<MemberWish, 'apiPort' | 'onHandedOn' | 'onBarred' | 'doing'>;
  /** From here on requests that others hand on are answered. */
  open(inside: Inside): void;
  /** Called when this node may not take part any more. */
  onBarred(stop: () => void): void;
}

/** Between the cluster's side of a node, which opens first, and its API. */
export function createDoor(config: Config, log: Log): Door {
  let inside: Inside | undefined;
  let stop: () => void = () => undefined;
  return {
    open(api) {
      inside = api;
    },
    onBarred(then) {
      stop = then;
    },
    wish: {
      doing: () => inside?.doing() ?? { jobs: 0, streams: 0 },
      apiPort: () => inside?.port ?? config['server.port'],
      onBarred({ message }) {
        log.error('kept out of the cluster', { advice: message });
        stop();
      },
      onHandedOn(req, res, { from, clientAddress }) {
        if (!inside) {
          // As a node that does not lead: the other one tries again.
          res.writeHead(421, { 'content-length': '0' }).end();
          return;
        }
        markHandedOn(req, { nodeId: from, ip: clientAddress });
        inside.handle(req, res);
      },
    },
  };
}
