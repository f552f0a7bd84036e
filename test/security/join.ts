import { randomUUID } from 'node:crypto';
import { joinCluster } from '#cluster/rpc/index.ts';
import { features } from '#cluster/state/features.ts';
import { createRequest } from '#cluster/trust/certificates.ts';
import { parseToken } from '#cluster/trust/tokens.ts';
import { createKey } from '#cluster/trust/x509.ts';
import type { Credentials } from './forge.ts';

interface Joiner {
  readonly id: string;
  readonly token: string;
  /** Of a member's RPC. */
  readonly address: string;
}

/** Comes in like a node, without being one. @throws RpcError */
export async function joinAs({ id, token, address }: Joiner): Promise<Credentials> {
  const nowhere = ['127.0.0.1:1'];
  const addresses = { raft: nowhere, rpc: nowhere, gossip: nowhere, api: nowhere };
  const key = await createKey();
  const member = {
    ...{ id, name: id, kind: 'node', addresses, bootEpoch: 1, session: randomUUID() },
    ...{ version: '0.1.0', features },
  };
  const { answer } = await joinCluster({
    ...{ address, token: parseToken(token) },
    input: { request: await createRequest(key, id), member },
  });
  const { gift } = answer as { gift: { certificate: string; authorities: string } };
  return { ca: gift.authorities, cert: gift.certificate, key };
}
