import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createAuthority } from '#test/fixtures/raft/authority.ts';
import {
  answer,
  preVote,
  reasonOf,
  until,
  useTransports,
  vote,
} from '#test/fixtures/raft/transports.ts';
import { needs } from '#test/needs.ts';
import { speaksFor } from './identity.ts';
import type { TlsOptions } from './types.ts';

/** It does not look whom it speaks to. */
const anyone = ({ ca, cert, key }: TlsOptions): TlsOptions => ({ ca, cert, key });

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

  it('is let in by who is besieged by strangers, and says so once', async () => {
    const { address, port, made } = await listening(async (request) => answer(request), {
      ...{ tls: ours('n2'), limits: { maxConnections: 16 } },
    });
    const sockets = Array.from({ length: 200 }, () => client(port));
    await until(() => sockets.filter(({ closed }) => closed).length >= sockets.length - 16);
    expect(made.stats().incoming).to.be.at.most(16);
    const sender = transport({ tls: ours('n1') });
    expect(await sender.send({ to: 'n2', address, request: vote })).to.deep.equal(answer(vote));
    for (let nth = 0; nth < 50; nth += 1) client(port).end('nonsense');
    await until(() => made.stats().incoming <= 17);
    expect(logged.length).to.be.at.most(3);
  });

  it('hears a server no more that was removed, nor what it becomes by its old name', async () => {
    const { address, made } = await listening(async (request) => answer(request), {
      tls: { ...ours('n2'), verifyPeer: speaksFor },
    });
    const ask = (id: string) =>
      reasonOf(
        transport({ tls: anyone(ours('n1')) }).send({
          ...{ to: 'n2', address, request: { ...vote, from: { id, address: 'x:1' } } },
        }),
      );
    expect(await ask('n1')).to.equal('answered');
    made.refuse(['n1']);
    expect(await ask('n1')).to.equal('unreachable');
    expect(await ask('n1.2')).to.equal('unreachable');
    expect(logged.join()).to.contain('was removed from the cluster');
    made.refuse([]);
    expect(await ask('n1')).to.equal('answered');
  });
});
