import { expect } from 'chai';
import { answer, reasonOf, useTransports, vote } from '#test/fixtures/raft/transports.ts';
import { speaksFor } from '../raft/transport/identity.ts';
import type { TlsOptions } from '../raft/transport/types.ts';
import { createAuthority, openAuthority } from './ca.ts';
import { createRequest } from './certificates.ts';
import { createKey } from './x509.ts';

describe('the certificates of a cluster, in Raft', () => {
  const { transport, listening } = useTransports();

  async function createIssuer() {
    const files = await createAuthority('c1', Date.now());
    const authority = openAuthority(files, Date.now);
    return async (nodeId: string): Promise<TlsOptions> => {
      const key = await createKey();
      const cert = await authority.sign(await createRequest(key, nodeId), {
        clusterId: 'c1',
        nodeId,
      });
      return { ca: files.certificates, cert, key, verifyPeer: speaksFor };
    };
  }

  it('let members speak, each for itself, and nobody else', async () => {
    const [ours, theirs] = [await createIssuer(), await createIssuer()];
    const { address } = await listening(async (request) => answer(request), {
      tls: await ours('n2'),
    });
    const member = transport({ tls: await ours('n1') });
    expect(await member.send({ to: 'n2', address, request: vote })).to.deep.equal(answer(vote));
    expect(await reasonOf(member.send({ to: 'n3', address, request: vote }))).to.equal(
      'unreachable',
    );
    const other = transport({ tls: await ours('n9') });
    expect(await reasonOf(other.send({ to: 'n2', address, request: vote }))).to.not.equal(
      'answered',
    );
    const stranger = transport({ tls: { ...(await theirs('n1')), ca: (await ours('n1')).ca } });
    expect(await reasonOf(stranger.send({ to: 'n2', address, request: vote }))).to.equal(
      'unreachable',
    );
  });
});
