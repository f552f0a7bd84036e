import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createAuthority } from '#test/fixtures/raft/authority.ts';
import { answer, preVote, reasonOf, useTransports, vote } from '#test/fixtures/raft/transports.ts';
import { needs } from '#test/needs.ts';
import type { TlsOptions } from './types.ts';

describe('the raft transport with TLS', () => {
  needs('openssl');
  const { transport, listening, client, logged } = useTransports();
  let folder: string;
  let ours: (id: string) => TlsOptions;
  let theirs: (id: string) => TlsOptions;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-raft-tls-'));
    ours = createAuthority(folder, 'ours');
    theirs = createAuthority(folder, 'theirs');
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('carries requests between nodes of one authority', async () => {
    const { address } = await listening(async (request) => answer(request), { tls: ours('n2') });
    const sender = transport({ tls: ours('n1') });
    for (let i = 0; i < 3; i++) {
      expect(await sender.send({ to: 'n2', address, request: vote })).to.deep.equal(answer(vote));
    }
  });

  it('serves nobody that another authority vouches for, or none', async () => {
    let count = 0;
    const { address, port } = await listening(
      async (request) => {
        count++;
        return answer(request);
      },
      { tls: ours('n2') },
    );
    // Its own trust in the server is set right, so that it is the server who refuses.
    const stranger = transport({ tls: { ...theirs('n1'), ca: ours('x').ca } });
    const refused = await reasonOf(stranger.send({ to: 'n2', address, request: preVote }));
    // Never 'closed': that would pass for a peer that knows no pre-vote.
    expect(refused).to.equal('unreachable');
    const plain = transport({ timeouts: { requestMs: 500 } });
    expect(await reasonOf(plain.send({ to: 'n2', address, request: vote }))).to.not.equal(
      'answered',
    );
    client(port).end('nonsense');
    expect(count).to.equal(0);
    expect(logged.join()).to.contain('no good certificate');
  });

  it('speaks to nobody that another authority vouches for', async () => {
    const { address } = await listening(async (request) => answer(request), { tls: theirs('n2') });
    const sender = transport({ tls: ours('n1') });
    const sending = sender.send({ to: 'n2', address, request: vote });
    expect(await reasonOf(sending)).to.equal('unreachable');
  });

  it('lets a certificate speak only for its own server', async () => {
    const { address } = await listening(async (request) => answer(request), { tls: ours('n2') });
    const other = transport({ tls: ours('n3') });
    expect(await reasonOf(other.send({ to: 'n2', address, request: vote }))).to.equal(
      'unreachable',
    );
    expect(logged.join()).to.contain('does not speak for its sender');
    const sender = transport({ tls: ours('n1') });
    expect(await reasonOf(sender.send({ to: 'n4', address, request: vote }))).to.equal(
      'unreachable',
    );
  });
});
