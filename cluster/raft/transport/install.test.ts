import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import {
  answer,
  bytesOf,
  install,
  pieces,
  reasonOf,
  useTransports,
  vote,
} from '#test/fixtures/raft/transports.ts';
import { requestToWire } from '../wire/convert.ts';
import { decodeResponse, encodeRequest } from '../wire/messages.ts';

describe('a snapshot between raft nodes', () => {
  const { transport, listening, client } = useTransports();

  it('comes with its stream, on a connection of its own', async () => {
    const got: number[] = [];
    const { address } = await listening(async (request, body) => {
      for await (const bytes of body ?? []) got.push(bytes.length);
      return answer(request);
    });
    const sender = transport();
    const request = install(40 * 100_000);
    const response = await sender.send({ to: 'n2', address, request, body: pieces(40, 100_000) });
    expect(response).to.deep.equal({ kind: 'install', term: 2, isSuccess: true });
    expect(got.reduce((sum, bytes) => sum + bytes, 0)).to.equal(4_000_000);
    expect(sender.stats().outgoing).to.equal(0);
  });

  it('of no bytes comes too', async () => {
    const { address } = await listening(async (request, body) => {
      for await (const bytes of body ?? []) expect(bytes).to.equal('nothing');
      return answer(request);
    });
    const sender = transport();
    const request = install(0);
    await sender.send({ to: 'n2', address, request, body: pieces(0, 0) });
  });

  it('that is not wanted is drained before the answer', async () => {
    const { port } = await listening(async () => ({
      kind: 'install',
      term: 9,
      isSuccess: false,
    }));
    const socket = client(port);
    const got: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => got.push(chunk));
    socket.write(bytesOf(install(3_000_000)));
    socket.write(Buffer.alloc(1_000_000));
    await sleep(50);
    expect(got).to.deep.equal([]);
    socket.write(Buffer.concat([Buffer.alloc(2_000_000), bytesOf(vote)]));
    while (got.length === 0) await sleep(5);
    expect(decodeResponse('install', Buffer.concat(got)).body).to.include({ Term: 9 });
  });

  it('of another version is drained and answered in words', async () => {
    const { port } = await listening(async (request) => answer(request));
    const socket = client(port);
    const wire = requestToWire(install(1000));
    Object.assign(wire.body, { SnapshotVersion: 7 });
    socket.write(Buffer.concat([...encodeRequest(wire), Buffer.alloc(1000)]));
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(decodeResponse('install', chunk).error).to.equal('unsupported snapshot version 7');
  });

  it('that breaks off fails the reader, not the node', async () => {
    let failed: unknown;
    const { port } = await listening(async (request, body) => {
      try {
        for await (const bytes of body ?? []) expect(bytes.length).to.be.greaterThan(0);
      } catch (error) {
        failed = error;
      }
      return answer(request);
    });
    const socket = client(port);
    socket.write(Buffer.concat([bytesOf(install(1000)), Buffer.alloc(10)]));
    await sleep(30);
    socket.destroy();
    await sleep(30);
    expect(String(failed)).to.contain('inside a snapshot');
  });

  it('whose reader is slow waits in the socket, not in memory', async () => {
    let most = 0;
    const { address, made } = await listening(async (request, body) => {
      for await (const bytes of body ?? []) {
        await sleep(1);
        most = Math.max(most, made.stats().incomingBytes, bytes.length);
      }
      return answer(request);
    });
    const sender = transport();
    const request = install(8_000_000);
    await sender.send({ to: 'n2', address, request, body: pieces(80, 100_000) });
    expect(most).to.be.lessThan(1024 * 1024);
  });

  it('of the wrong length is not sent to its end', async () => {
    const { address } = await listening(async (request, body) => {
      for await (const bytes of body ?? []) expect(bytes.length).to.be.greaterThan(0);
      return answer(request);
    });
    const sender = transport();
    for (const size of [50, 5000]) {
      const sending = sender.send({
        to: 'n2',
        address,
        request: install(size),
        body: pieces(1, 100),
      });
      expect(await reasonOf(sending)).to.equal('error');
    }
  });

  it('closes its source when nobody can be reached', async () => {
    const body = new Readable({ read: () => undefined });
    const request = install(10);
    const sending = transport().send({ to: 'n2', address: '127.0.0.1:1', request, body });
    expect(await reasonOf(sending)).to.equal('unreachable');
    expect(body.destroyed).to.equal(true);
  });
});
