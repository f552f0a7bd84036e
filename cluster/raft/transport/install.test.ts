import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { createAuthority } from '#test/fixtures/raft/authority.ts';
import {
  answer,
  bytesOf,
  from,
  install,
  pieces,
  reasonOf,
  sourceOf,
  useTransports,
  vote,
} from '#test/fixtures/raft/transports.ts';
import { needs } from '#test/needs.ts';
import type { InstallRequest } from '../core/types.ts';
import { requestToWire, responseToWire } from '../wire/convert.ts';
import { decodeResponse, encodeRequest, encodeResponse } from '../wire/messages.ts';
import type { TlsOptions } from './types.ts';

describe('a snapshot between raft nodes', () => {
  const { transport, listening, stranger, client, logged } = useTransports();

  it('comes with its stream, on a connection of its own', async () => {
    const got: number[] = [];
    const { address } = await listening(async (request, body) => {
      for await (const bytes of body ?? []) got.push(bytes.length);
      return answer(request);
    });
    const sender = transport();
    const request = install(40 * 100_000);
    const response = await sender.send({
      ...{ to: 'n2', address, request },
      source: sourceOf(pieces(40, 100_000), 4_000_000),
    });
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
    await sender.send({ to: 'n2', address, request, source: sourceOf(pieces(0, 0), 0) });
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
    const source = sourceOf(pieces(80, 100_000), 8_000_000);
    await sender.send({ to: 'n2', address, request, source });
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
        source: sourceOf(pieces(1, 100), size),
      });
      expect(await reasonOf(sending)).to.equal('error');
    }
  });

  it('closes its source when nobody can be reached', async () => {
    const source = sourceOf(pieces(1, 10), 10);
    const request = install(10);
    const sending = transport().send({ to: 'n2', address: '127.0.0.1:1', request, source });
    expect(await reasonOf(sending)).to.equal('unreachable');
    expect(source.closed).to.equal(1);
  });

  describe('to a peer that may be hashicorp’s', () => {
    const request = install(3000) as InstallRequest;
    const wanted = Buffer.concat([bytesOf(request), Buffer.alloc(1000, 0)])
      .toString('hex')
      .concat(Buffer.alloc(1000, 1).toString('hex'), Buffer.alloc(1000, 2).toString('hex'));
    const ok = Buffer.from(encodeResponse(responseToWire(answer(request), from)));
    /** Takes what comes, and answers once it is all there. */
    const collect = (socket: Socket, got: Buffer[]) =>
      socket.on('data', (chunk: Buffer) => {
        got.push(chunk);
        if (Buffer.concat(got).length === wanted.length / 2) socket.write(ok);
      });

    it('is hashicorp’s to the byte', async () => {
      const got: Buffer[] = [];
      const address = await stranger((socket) => collect(socket, got));
      const source = sourceOf(pieces(3, 1000), 3000);
      await transport().send({ to: 'n2', address, request, source });
      expect(Buffer.concat(got).toString('hex')).to.equal(wanted);
      expect(source.closed).to.equal(1);
    });

    it('comes whole, on the same connection, when it does not know how to go on', async () => {
      let bytes = 0;
      const { address, made } = await listening(async (asked, body, rest) => {
        expect(asked).to.deep.equal(request);
        expect(rest).to.equal(undefined);
        for await (const piece of body ?? []) bytes += piece.length;
        return answer(asked);
      });
      const source = sourceOf(pieces(3, 1000), 3000);
      await transport({ isAllOurs: true }).send({ to: 'n2', address, request, source });
      expect(bytes).to.equal(3000);
      expect(made.stats().incoming).to.be.at.most(1);
      expect(logged.join()).to.contain('unsupported snapshot version');
    });

    describe('with TLS', () => {
      needs('openssl');
      let folder: string;
      let issue: (id: string) => TlsOptions;
      before(() => {
        folder = mkdtempSync(join(tmpdir(), 'revenge-raft-install-'));
        issue = createAuthority(folder, 'ours');
      });
      after(() => {
        if (folder) rmSync(folder, { recursive: true, force: true });
      });

      it('is hashicorp’s to the byte too, though nobody said that it might be', async () => {
        const got: Buffer[] = [];
        const { ca, cert, key } = issue('n2');
        const server = createServer({ ca, cert, key, requestCert: true }, (socket) =>
          collect(socket, got),
        );
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const { port } = server.address() as AddressInfo;
        const source = sourceOf(pieces(3, 1000), 3000);
        const sender = transport({ tls: issue('n1') });
        await sender.send({ to: 'n2', address: `127.0.0.1:${port}`, request, source });
        expect(Buffer.concat(got).toString('hex')).to.equal(wanted);
        server.close();
      });

      it('is asked how much it has when it shows that it is ours', async () => {
        const asked: InstallRequest[] = [];
        const got: number[] = [];
        const made = transport({ tls: issue('n2') });
        await made.listen(
          async (whole, body, rest) => {
            expect(rest).to.deep.equal({ from: 2000, size: 3000, crc: 0 });
            for await (const piece of body ?? []) got.push(...piece);
            return answer(whole);
          },
          async (whole) => {
            asked.push(whole);
            return 2000;
          },
        );
        const { host, port } = made.address();
        const source = { ...sourceOf(pieces(0, 0), 3000), read: () => pieces(1, 1000) };
        const sender = transport({ tls: issue('n1') });
        await sender.send({ to: 'n2', address: `${host}:${port}`, request, source });
        expect(asked).to.deep.equal([request]);
        expect(got).to.have.lengthOf(1000);
      });

      it('is served whatever protocols it offers', async () => {
        const { port } = await listening(async (asked) => answer(asked), { tls: issue('n2') });
        const { ca, cert, key } = issue('n1');
        const options = { port, host: '127.0.0.1', ca, cert, key, ALPNProtocols: ['other'] };
        const socket = connect({ ...options, checkServerIdentity: () => undefined });
        await once(socket, 'secureConnect');
        socket.write(bytesOf(vote));
        const [chunk] = (await once(socket, 'data')) as [Buffer];
        expect(decodeResponse('vote', chunk).body).to.include({ Granted: true });
        socket.destroy();
      });
    });
  });
});
