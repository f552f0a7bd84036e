import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createAuthority } from '#test/fixtures/raft/authority.ts';
import {
  answer,
  heartbeat,
  preVote,
  reasonOf,
  until,
  useTransports,
  vote,
} from '#test/fixtures/raft/transports.ts';
import { needs } from '#test/needs.ts';
import type { TcpTransport, TlsOptions } from './types.ts';

/** Nobody listens there. */
const gone = '127.0.0.1:1';
/** What the configuration has for a member whose place only the book knows. */
const address = 'n2';

/** Asks again as the core would, until there is an answer. */
async function reach(sender: TcpTransport, request = heartbeat): Promise<string[]> {
  const reasons: string[] = [];
  await until(async () => {
    const reason = await reasonOf(sender.send({ to: 'n2', address, request }));
    reasons.push(reason);
    return reason === 'answered';
  });
  return reasons;
}

describe('an address book', () => {
  const { transport, listening, stranger } = useTransports();

  it('is asked before the address that comes with a request', async () => {
    const n2 = await listening(async (request) => answer(request));
    const sender = transport({ book: { n2: [n2.address], n3: [gone] } });
    expect(await reach(sender)).to.deep.equal(['answered']);
    const direct = sender.send({ to: 'n4', address: gone, request: vote });
    expect(await reasonOf(direct)).to.equal('unreachable');
  });

  it('has a second place for who is not at the first', async () => {
    const n2 = await listening(async (request) => answer(request));
    const sender = transport({ book: { n2: [gone, 'no address', n2.address] } });
    expect(await reach(sender)).to.deep.equal(['unreachable', 'answered']);
    // The place that works is kept for every kind of connection.
    expect(await reach(sender, vote)).to.deep.equal(['answered']);
  });

  it('is gone through at once for a vote, which has no time for another attempt', async () => {
    const n2 = await listening(async (request) => answer(request));
    const sender = transport({ book: { n2: [gone, 'no address', gone, n2.address], n3: [gone] } });
    const votes = [vote, preVote, vote].map((request) =>
      reasonOf(sender.send({ to: 'n2', address, request })),
    );
    expect(await Promise.all(votes)).to.deep.equal(['answered', 'answered', 'answered']);
    const nowhere = transport({ book: { n2: [gone, gone, gone] } });
    const lost = nowhere.send({ to: 'n2', address, request: vote });
    expect(await reasonOf(lost)).to.equal('unreachable');
  });

  it('takes the next place for who ends connections, or says nothing', async () => {
    const ends = await stranger((socket) => socket.once('data', () => socket.destroy()));
    const silent = await stranger((socket) => socket.resume());
    const n2 = await listening(async (request) => answer(request));
    const sender = transport({
      book: { n2: [ends, silent, n2.address] },
      timeouts: { requestMs: 50 },
    });
    // Not 'closed': a stranger's silence is no peer's refusal of a pre-vote.
    expect(await reach(sender, preVote)).to.deep.equal(['timeout', 'answered']);
    const other = transport({ book: { n2: [ends, ends] } });
    const lost = other.send({ to: 'n2', address, request: preVote });
    expect(await reasonOf(lost)).to.equal('unreachable');
  });

  it('that changes moves the connections', async () => {
    const [old, moved] = [
      await listening(async (request) => answer(request)),
      await listening(async (request) => answer(request)),
    ];
    const sender = transport({ book: { n2: [old.address] } });
    await reach(sender);
    await reach(sender, vote);
    expect(old.made.stats().incoming).to.equal(2);
    sender.setBook({ n2: [old.address, gone] });
    expect(sender.stats().outgoing).to.equal(2);
    sender.setBook({ n2: [moved.address] });
    expect(sender.stats().outgoing).to.equal(0);
    await until(() => old.made.stats().incoming === 0);
    expect(await reach(sender)).to.deep.equal(['answered']);
    expect(moved.made.stats().incoming).to.equal(1);
  });

  it('that changes ends a wait', async () => {
    const sender = transport({
      book: { n2: [gone] },
      timeouts: { backoffMs: 60_000, maxBackoffMs: 60_000 },
    });
    const ask = () => reasonOf(sender.send({ to: 'n2', address, request: vote }));
    expect(await ask()).to.equal('unreachable');
    const n2 = await listening(async (request) => answer(request));
    expect(await ask()).to.equal('unreachable');
    sender.setBook({ n2: [n2.address] });
    expect(await ask()).to.equal('answered');
  });

  it('does not let a server answer in the place of another', async () => {
    const n3 = await listening(async (request) => answer(request), {
      self: { id: 'n3', address: gone },
    });
    const n2 = await listening(async (request) => answer(request));
    const sender = transport({ book: { n2: [n3.address, n2.address] } });
    expect(await reach(sender)).to.deep.equal(['unreachable', 'answered']);
    sender.setBook({ n2: [n3.address] });
    const lost = sender.send({ to: 'n2', address, request: vote });
    expect(await reasonOf(lost)).to.equal('unreachable');
  });
});

describe('an address book with TLS', () => {
  needs('openssl');
  const { transport, listening } = useTransports();
  let folder: string;
  let issue: (id: string) => TlsOptions;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-raft-book-'));
    issue = createAuthority(folder, 'ours');
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('passes over an address where somebody else shows a certificate', async () => {
    let heard = 0;
    const other = await listening(
      async (request) => {
        heard += 1;
        return answer(request);
      },
      { tls: issue('n3') },
    );
    const n2 = await listening(async (request) => answer(request), { tls: issue('n2') });
    const sender = transport({ tls: issue('n1'), book: { n2: [other.address, n2.address] } });
    expect(await reach(sender)).to.deep.equal(['unreachable', 'answered']);
    expect(heard).to.equal(0);
  });

  it('shows renewed certificates on new connections, both ways', async () => {
    const seen: string[] = [];
    const watched = (tls: TlsOptions): TlsOptions => ({
      ...tls,
      verifyPeer(id, certificate) {
        seen.push(`${id} ${certificate.fingerprint256}`);
        return true;
      },
    });
    const first = { n1: issue('n1'), n2: issue('n2') };
    const server = await listening(async (request) => answer(request), { tls: watched(first.n2) });
    const sender = transport({ tls: watched(first.n1) });
    const ask = (request = vote) =>
      reasonOf(sender.send({ to: 'n2', address: server.address, request }));
    expect(await ask()).to.equal('answered');
    const before = seen.splice(0);
    sender.setTls(watched(issue('n1')));
    server.made.setTls(watched(issue('n2')));
    // The connection that is open stays as it was; the other lane opens one.
    expect(await ask()).to.equal('answered');
    expect(seen).to.deep.equal([]);
    expect(await ask(heartbeat)).to.equal('answered');
    expect(seen).to.have.length(2);
    const names = (list: string[]) => list.map((each) => each.split(' ')[0]);
    expect(names(seen)).to.deep.equal(names(before));
    expect(seen.filter((each) => before.includes(each))).to.deep.equal([]);
  });

  it('keeps its certificates when the new ones do not fit together', async () => {
    const tls = issue('n1');
    const sender = transport({ tls });
    expect(() => sender.setTls({ ...tls, key: issue('n3').key })).to.throw('mismatch');
    const server = await listening(async (request) => answer(request), { tls: issue('n2') });
    const sending = sender.send({ to: 'n2', address: server.address, request: vote });
    expect(await reasonOf(sending)).to.equal('answered');
    expect(() => transport().setTls(tls)).to.throw('without TLS');
  });
});
