import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import {
  answer,
  append,
  bytesOf,
  entry,
  from,
  heartbeat,
  preVote,
  reasonOf,
  useTransports,
  vote,
} from '#test/fixtures/raft/transports.ts';
import type { Request, Response } from '../core/types.ts';
import { requestToWire } from '../wire/convert.ts';
import { decodeResponse, encodeRequest } from '../wire/messages.ts';

describe('the raft transport', () => {
  const { transport, listening, stranger, client, logged } = useTransports();

  it('carries every kind of request and its answer', async () => {
    const seen: Request[] = [];
    const { address } = await listening(async (request) => {
      seen.push(request);
      return answer(request);
    });
    const sender = transport();
    const requests: Request[] = [heartbeat, append(1, [entry(2)]), vote, preVote];
    requests.push({ kind: 'timeoutNow', from });
    for (const request of requests) {
      expect(await sender.send({ to: 'n2', address, request })).to.deep.equal(answer(request));
    }
    expect(seen).to.deep.equal(requests);
  });

  it('pipelines appends and answers in order, one handled at a time', async () => {
    let running = 0;
    const { address, made } = await listening(async (request) => {
      expect(++running).to.equal(1);
      await sleep(request.kind === 'append' ? request.prevIndex % 3 : 0);
      running--;
      return answer(request);
    });
    const sender = transport();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        sender.send({ to: 'n2', address, request: append(i + 1, [entry(i + 2)]) }),
      ),
    );
    expect(answers.map((response) => 'lastLog' in response && response.lastLog)).to.deep.equal(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    expect(made.stats().incoming).to.equal(1);
    expect(made.stats().incomingBytes).to.equal(0);
  });

  it('does not let a slow append delay a heartbeat', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { address } = await listening(async (request) => {
      if (request.kind === 'append' && !request.isHeartbeat) await held;
      return answer(request);
    });
    const sender = transport();
    const slow = sender.send({ to: 'n2', address, request: append(1, [entry(2)]) });
    await sender.send({ to: 'n2', address, request: heartbeat });
    release();
    await slow;
  });

  it('understands frames that come a byte at a time', async () => {
    const { port } = await listening(async (request) => answer(request));
    const socket = client(port);
    const got: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => got.push(chunk));
    for (const byte of Buffer.concat([bytesOf(append(7, [entry(8, 3)])), bytesOf(heartbeat)])) {
      socket.write(Uint8Array.of(byte));
      if (byte % 16 === 0) await sleep(1);
    }
    await sleep(50);
    const first = decodeResponse('append', Buffer.concat(got));
    expect(first.body).to.include({ LastLog: 7, Success: true });
  });

  it('an answer that comes a byte at a time is one', async () => {
    const { port } = await listening(async (request) => answer(request));
    const address = await stranger((socket) => {
      const behind = client(port);
      socket.pipe(behind);
      behind.on('data', (chunk: Buffer) => {
        for (const byte of chunk) socket.write(Uint8Array.of(byte));
      });
    });
    const sender = transport();
    expect(await sender.send({ to: 'n2', address, request: vote })).to.deep.equal(answer(vote));
  });

  it('says why there was no answer', async () => {
    const ends = await stranger((socket) => socket.once('data', () => socket.destroy()));
    const silent = await stranger((socket) => socket.resume());
    const nonsense = await stranger((socket) =>
      socket.once('data', () => socket.write('\xc1\xc1')),
    );
    const refuses = await stranger((socket) =>
      socket.on('data', () =>
        socket.write(Buffer.from('b2756e657870656374656420636f6d6d616e64c0', 'hex')),
      ),
    );
    const gone = '127.0.0.1:1';
    const sender = transport({ timeouts: { requestMs: 100, heartbeatMs: 50 } });
    const ask = (address: string, request: Request) =>
      reasonOf(sender.send({ to: address, address, request }));
    expect(await ask(ends, preVote)).to.equal('closed');
    expect(await ask(gone, preVote)).to.equal('unreachable');
    expect(await ask('nowhere', preVote)).to.equal('unreachable');
    expect(await ask(silent, append(1))).to.equal('timeout');
    expect(await ask(silent, heartbeat)).to.equal('timeout');
    expect(await ask(nonsense, vote)).to.equal('error');
    // The text by which Go says that it knows no pre-vote is as good as an ended connection.
    expect(await ask(refuses, vote)).to.equal('error');
    expect(await ask(refuses, preVote)).to.equal('closed');
  });

  it('asks anew when an idle connection turns out to have ended', async () => {
    let isFirst = true;
    const { port } = await listening(async (request) => answer(request));
    const address = await stranger((socket) => {
      const behind = client(port);
      socket.pipe(behind).pipe(socket);
      if (!isFirst) return;
      isFirst = false;
      behind.once('data', () => socket.once('data', () => socket.destroy()));
    });
    const sender = transport();
    await sender.send({ to: 'n2', address, request: preVote });
    expect(await sender.send({ to: 'n2', address, request: preVote })).to.include({
      isGranted: true,
    });
  });

  it('waits between attempts to connect, and comes back', async () => {
    const sender = transport({ timeouts: { backoffMs: 50, maxBackoffMs: 50 } });
    const first = await listening(async (request) => answer(request));
    const { address } = first;
    await first.made.close();
    const ask = () => sender.send({ to: 'n2', address, request: heartbeat });
    expect(await reasonOf(ask())).to.equal('unreachable');
    const begun = performance.now();
    expect(await reasonOf(ask())).to.equal('unreachable');
    expect(performance.now() - begun).to.be.lessThan(20);
    const [host = '', port = ''] = address.split(':');
    const again = transport({ listen: { host, port: Number(port) } });
    await again.listen(async (request) => answer(request));
    await sleep(60);
    expect(await reasonOf(ask())).to.equal('answered');
  });

  it('says once why a peer is not reached, and when it is again', async () => {
    const { made, address, port } = await listening(async (request) => answer(request));
    await made.close();
    const sender = transport({ timeouts: { backoffMs: 1, maxBackoffMs: 1 } });
    const tell = () => reasonOf(sender.send({ to: 'n2', address, request: heartbeat }));
    for (let nth = 0; nth < 5; nth += 1) {
      expect(await tell()).to.equal('unreachable');
      await sleep(5);
    }
    const refused = `a raft peer is not reached: connect ECONNREFUSED ${address}`;
    expect(logged).to.deep.equal([refused]);
    await transport({ listen: { host: '127.0.0.1', port } }).listen(async (r) => answer(r));
    while ((await tell()) !== 'answered') await sleep(5);
    expect(logged.at(-1)).to.contain('a raft peer is reached again');
  });

  it('ends a connection that speaks nonsense, and logs each kind once', async () => {
    const { port, made } = await listening(async (request) => answer(request));
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\x09', '\x00\xc1']) {
      const socket = client(port);
      socket.write(Buffer.from(bytes, 'latin1'));
      socket.resume();
      await once(socket, 'close');
    }
    expect(logged).to.have.length(2);
    expect(logged[0]).to.contain('begins no request');
    expect(made.stats().incoming).to.equal(0);
  });

  it('refuses a protocol it does not speak and goes on', async () => {
    const { port } = await listening(async (request) => answer(request));
    const socket = client(port);
    const old = requestToWire(vote);
    Object.assign(old.body, { ProtocolVersion: 1 });
    socket.write(Buffer.concat([...encodeRequest(old), bytesOf(vote)]));
    const got = Buffer.alloc(0);
    let all = got;
    socket.on('data', (chunk: Buffer) => (all = Buffer.concat([all, chunk])));
    await sleep(50);
    const refused = decodeResponse('vote', all);
    expect(refused.error).to.equal('operation not supported with current protocol version');
    const rest = all.subarray(all.indexOf(0xc0) + 1);
    expect(decodeResponse('vote', rest).body).to.include({ Granted: true });
  });

  it('ends a connection that asks nothing, or half of it, not one that is idle', async () => {
    const { port } = await listening(async (request) => answer(request), {
      timeouts: { requestMs: 60 },
    });
    const silent = client(port).resume();
    await once(silent, 'close');
    expect(logged.join()).to.contain('it asks nothing');
    const idle = client(port);
    idle.write(bytesOf(vote));
    await once(idle, 'data');
    const stuck = client(port);
    stuck.write(bytesOf(vote).subarray(0, 20));
    stuck.resume();
    await once(stuck, 'close');
    await sleep(100);
    idle.write(bytesOf(vote));
    const [chunk] = (await once(idle, 'data')) as [Buffer];
    expect(decodeResponse('vote', chunk).body).to.include({ Granted: true });
    expect(logged.join()).to.contain('stopped halfway');
  });

  it('takes no more connections and no more bytes than allowed', async () => {
    const { port, made } = await listening(() => new Promise<Response>(() => undefined), {
      limits: { maxConnections: 2, maxIncomingBytes: 1024 * 1024 },
    });
    const first = client(port);
    await once(client(port), 'connect');
    const third = client(port).resume();
    await once(third, 'close');
    expect(made.stats().incoming).to.be.at.most(2);
    // A handler that never answers: the socket waits, and memory does not fill.
    const load = Buffer.concat(
      Array.from({ length: 64 }, () => bytesOf(append(1, [entry(2, 60_000)]))),
    );
    first.write(load);
    await sleep(100);
    expect(made.stats().incomingBytes).to.be.lessThan(600_000);
  });

  it('answers with an error text when the handler fails', async () => {
    const { address } = await listening(() => Promise.reject(new Error('the disk is full')));
    const sending = transport().send({ to: 'n2', address, request: vote });
    const error = await sending.catch((thrown: unknown) => thrown);
    expect(error).to.include({ reason: 'error', message: 'the disk is full' });
  });

  it('fails what is under way when it closes', async () => {
    const { address } = await listening(() => new Promise<Response>(() => undefined));
    const sender = transport();
    const sending = reasonOf(sender.send({ to: 'n2', address, request: vote }));
    await sleep(30);
    await sender.close();
    expect(await sending).to.equal('unreachable');
    expect(await reasonOf(sender.send({ to: 'n2', address, request: vote }))).to.equal(
      'unreachable',
    );
  });

  it('carries 200,000 commands of 128 bytes without collapsing', async function () {
    let count = 0;
    const { address } = await listening(async (request) => {
      if (request.kind === 'append') count += request.entries.length;
      return answer(request);
    });
    const sender = transport();
    const total = 200_000;
    const all = Array.from({ length: total }, (_, i) => entry(i + 1));
    const begun = performance.now();
    let next = 0;
    const lane = async () => {
      while (next < total) {
        const at = next;
        next += 64;
        const request = append(at, all.slice(at, at + 64));
        await sender.send({ to: 'n2', address, request });
      }
    };
    await Promise.all([lane(), lane()]);
    const rate = Math.round(count / ((performance.now() - begun) / 1000));
    expect(count).to.equal(total);
    if (process.env['REVENGE_TEST_REPORT'] === '1') process.stdout.write(`      ${rate}/s\n`);
    // Far below what a quiet machine does: this guards against a collapse, not for a record.
    expect(rate).to.be.greaterThan(2_000);
  });
});
