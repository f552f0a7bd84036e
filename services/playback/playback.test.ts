import type { Write } from '#services/changes.ts';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { createLocalClock } from '#cluster/clock.ts';
import type { Authenticate } from '#services/principal.ts';
import { createCache } from '#storage/cache/index.ts';
import { createMedia, type MediaEngine } from '#storage/media/index.ts';
import { authenticateByName, principalWith, specOf, testApi, type TestApi } from '#test/http.ts';
import { mountHung } from '#test/hung-mount.ts';
import { libraryRows, type LibraryRows } from '#test/library-rows.ts';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createPlayback, type Playback } from './index.ts';
import { writeOn } from '#test/write.ts';

const caller = principalWith('playback:read');
const bytes = Buffer.alloc(2_500_000);
for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(at, at);

const userId = '01890000-0000-7000-8000-000000000001';

describe('playback', () => {
  let db: TestDatabase;
  let root: string;
  let rows: LibraryRows;
  let media: MediaEngine;
  let playback: Playback;
  let api: TestApi;
  let fileId: string;
  let clock: number;
  let write: Write;
  const ended = new Set<string>();

  /** Signed addresses for real, everything else by name. */
  const authenticate: Authenticate = async (credentials) => {
    if (credentials.signature === undefined) return authenticateByName(credentials);
    const { credentialId } = await playback.verifySignature(credentials.signature);
    if (ended.has(credentialId)) return undefined;
    return { ...principalWith('playback:read'), via: 'signed', credentialId };
  };

  before(async () => {
    db = await testDatabase();
    await db.sql`insert into shared.users (id, username, role) values (${userId}, 'test', 'user')`;
    root = mkdtempSync(join(tmpdir(), 'revenge-playback-'));
    writeFileSync(join(root, 'Amélie.mkv'), bytes);
    rows = await libraryRows(db.sql, root);
    fileId = await rows.addFile({ path: 'Amélie.mkv', role: 'video', sizeBytes: bytes.length });
    media = createMedia({
      log: quiet,
      processes: 1,
      idleMs: 60_000,
      perMountLimit: 4,
      now: Date.now,
    });
  });
  after(async () => {
    await media[Symbol.asyncDispose]();
    await db.close();
    rmSync(root, { recursive: true });
  });

  beforeEach(async () => {
    clock = Date.now();
    ended.clear();
    const order = createLocalClock({ epoch: 1 });
    const { sql } = db;
    write = writeOn(sql, order);
    const now = () => clock;
    const cache = createCache({ clock: order, log: quiet, now, l1MaxBytes: 1_000_000 });
    const signingKey = Buffer.alloc(32, 7);
    playback = createPlayback({
      store: { sql, write },
      ...{ cache, media, signingKey, now },
      log: quiet,
      lateMs: 1_000,
    });
    const { handlers } = playback;
    api = await testApi({ handlers, spec: specOf('playback'), authenticate });
  });
  afterEach(() => api.close());

  const token = 'playback:read';
  const path = (id = fileId) => `/api/v1/playback/files/${id}/content`;
  const ask = (headers: Record<string, string> = {}, method = 'GET') =>
    api.fetch(path(), { token, method, headers });
  const bodyOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
  const typeOf = async (response: Response) =>
    ((await response.json()) as { type: string }).type.replace('/problems/', '');

  describe('of bytes', () => {
    it('sends the whole file, and says that parts may be had', async () => {
      const response = await ask();
      expect(response.status).to.equal(200);
      expect(Object.fromEntries(response.headers)).to.include({
        'accept-ranges': 'bytes',
        'cache-control': 'private',
        'content-length': String(bytes.length),
        'content-type': 'video/x-matroska',
        'content-disposition': `inline; filename="Am_lie.mkv"; filename*=UTF-8''Am%C3%A9lie.mkv`,
        'last-modified': statSync(join(root, 'Amélie.mkv')).mtime.toUTCString(),
      });
      expect(response.headers.get('etag')).to.match(/^"[^"]+"$/);
      expect((await bodyOf(response)).equals(bytes)).to.equal(true);
      expect(playback.activity()).to.deep.equal({ streams: 0, sentBytes: bytes.length });
    });

    const size = bytes.length;
    const table: [range: string, status: number, start: number, end: number][] = [
      ['bytes=0-0', 206, 0, 0],
      ['bytes=0-1', 206, 0, 1],
      ['bytes=1000000-1999999', 206, 1_000_000, 1_999_999],
      ['bytes=2499999-', 206, size - 1, size - 1],
      ['bytes=-100', 206, size - 100, size - 1],
      ['bytes=-9999999', 206, 0, size - 1],
      ['bytes=5-9999999', 206, 5, size - 1],
      ['bytes=0-1,5-6', 200, 0, size - 1],
      ['bytes=5-2', 200, 0, size - 1],
      ['nonsense', 200, 0, size - 1],
    ];
    for (const [range, status, start, end] of table) {
      it(`${range} → ${status}`, async () => {
        const response = await ask({ range });
        expect(response.status).to.equal(status);
        const contentRange = status === 206 ? `bytes ${start}-${end}/${size}` : null;
        expect(response.headers.get('content-range')).to.equal(contentRange);
        expect(response.headers.get('content-length')).to.equal(String(end - start + 1));
        const body = await bodyOf(response);
        expect(body.equals(bytes.subarray(start, end + 1))).to.equal(true);
      });
    }

    it('refuses a range outside of the file, and tells its size', async () => {
      const response = await ask({ range: `bytes=${size}-` });
      expect(response.status).to.equal(416);
      expect(response.headers.get('content-range')).to.equal(`bytes */${size}`);
      expect(await typeOf(response)).to.equal('range-not-satisfiable');
    });

    it('answers HEAD as GET, without a body and without ranges', async () => {
      const response = await ask({ range: 'bytes=0-1' }, 'HEAD');
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-length')).to.equal(String(size));
      expect(await bodyOf(response)).to.have.length(0);
    });

    it('keeps to what the client has', async () => {
      const etag = (await ask({ range: 'bytes=0-0' })).headers.get('etag') ?? '';
      expect((await ask({ 'if-none-match': etag })).status).to.equal(304);
      expect((await ask({ range: 'bytes=0-0', 'if-range': etag })).status).to.equal(206);
      const other = await ask({ range: 'bytes=0-0', 'if-range': '"other"' });
      expect(other.status).to.equal(200);
      await other.body?.cancel();
      expect((await ask({ 'if-match': '"other"' })).status).to.equal(412);
    });

    it('sends to many at once', async () => {
      const all = await Promise.all(
        Array.from({ length: 24 }, async (_, i) => {
          const [start, end] = [i * 100_000, i * 100_000 + 150_000];
          const body = await bodyOf(await ask({ range: `bytes=${start}-${end}` }));
          return body.equals(bytes.subarray(start, end + 1));
        }),
      );
      expect(all.every(Boolean)).to.equal(true);
    });

    it('asks a browser to save', async () => {
      const response = await api.fetch(`${path()}?download=true`, { token });
      expect(response.headers.get('content-disposition')).to.match(/^attachment; /);
      await response.body?.cancel();
    });

    it('breaks off rather than end early when the file becomes shorter', async () => {
      const name = join(root, 'shrinking.mkv');
      writeFileSync(name, '');
      truncateSync(name, 300_000_000);
      const id = await rows.addFile({ path: 'shrinking.mkv', role: 'video' });
      const outcome = await new Promise<string>((resolve) => {
        const headers = { authorization: 'Bearer playback.read' };
        get(api.url + path(id), { headers }, (response) => {
          response.once('data', () => truncateSync(name, 1_000));
          response.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
          response.on('end', () => resolve('end'));
          response.resume();
        });
      });
      expect(outcome).to.equal('ECONNRESET');
    });

    it('knows when nobody shall have the rest, because the file left the catalogue', async () => {
      writeFileSync(join(root, 'leaving.mkv'), 'film');
      const id = await rows.addFile({ path: 'leaving.mkv', role: 'video' });
      const request = { id: '', ip: '', method: 'GET', headers: {}, userAgent: undefined };
      const { signal } = new AbortController();
      const reply = await playback.handlers.getPlaybackContent({
        ...{ params: { fileId: id }, query: {}, headers: {}, body: undefined },
        ...{ principal: caller, request: { ...request, signal } },
      });
      if (!('stream' in reply) || !(reply.stream instanceof Readable)) throw new Error('no stream');
      reply.stream.destroy();
      await reply.recheck?.(caller);
      const limited = { ...caller, libraries: new Set<string>() };
      const refused = await reply.recheck?.(limited).catch((error: unknown) => error);
      expect(refused, 'to who may no longer see it').to.include({ code: 'not-found' });
      await write(async (tx, stale) => {
        await tx`delete from files where id = ${id}`;
        stale(`library:${rows.libraryId}`);
      });
      const found = await reply.recheck?.(caller).catch((error: unknown) => error);
      expect(found).to.include({ code: 'not-found' });
    });
  });

  it('shows an empty file as one', async () => {
    writeFileSync(join(root, 'empty.srt'), '');
    const id = await rows.addFile({ path: 'empty.srt', role: 'subtitle' });
    const response = await api.fetch(path(id), { token });
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-length')).to.equal('0');
    const part = await api.fetch(path(id), { token, headers: { range: 'bytes=0-' } });
    expect(part.status).to.equal(416);
  });

  it('gives nothing away that is not there, not meant for viewers, or out of the library', async () => {
    writeFileSync(join(root, 'film.nfo'), 'secret');
    symlinkSync('/etc/passwd', join(root, 'link.mkv'));
    const ids = [
      randomUUID(),
      await rows.addFile({ path: 'film.nfo', role: 'nfo' }),
      await rows.addFile({ path: 'link.mkv', role: 'video' }),
      await rows.addFile({ path: 'gone.mkv', role: 'video' }),
      await rows.addFile({ path: 'missing.mkv', role: 'video', isMissing: true }),
      await rows.addFile({ path: '../escape.mkv', role: 'video' }),
    ];
    for (const id of ids) {
      const response = await api.fetch(path(id), { token });
      expect(response.status).to.equal(404);
      expect(await typeOf(response)).to.equal('not-found');
    }
    expect((await api.fetch(path())).status).to.equal(401);
    expect((await api.fetch(path(), { token: 'movies:read' })).status).to.equal(403);
  });

  it('says that a share is away', async () => {
    const away = await libraryRows(db.sql, join(root, 'not-mounted'));
    const id = await away.addFile({ path: 'film.mkv', role: 'video' });
    const response = await api.fetch(path(id), { token });
    expect(response.status).to.equal(503);
    expect(response.headers.get('retry-after')).to.equal('15');
    expect(await typeOf(response)).to.equal('media-unavailable');
  });

  it('tells what a file holds', async () => {
    const probe = {
      container: 'matroska',
      durationMs: 1_000,
      tags: { title: 'x' },
      streams: [{ index: 0, type: 'video', codec: 'hevc', isDefault: true, isForced: false }],
      chapters: [{ startMs: 0, endMs: 500 }],
    };
    const id = await rows.addFile({ path: 'probed.mkv', role: 'video', sizeBytes: 5, probe });
    const response = await api.fetch(`/api/v1/playback/files/${id}`, { token });
    expect(response.status).to.equal(200);
    const { container, durationMs, streams, chapters } = probe;
    expect(await response.json()).to.deep.include({
      id,
      itemId: null,
      name: 'probed.mkv',
      contentType: 'video/x-matroska',
      sizeBytes: 5,
      isAvailable: true,
      probe: { container, durationMs, streams, chapters },
    });
    const missing = await rows.addFile({ path: 'away.mkv', role: 'video', isMissing: true });
    const other = await api.fetch(`/api/v1/playback/files/${missing}`, { token });
    expect(await other.json()).to.include({ isAvailable: false });
  });

  describe('signed addresses', () => {
    const sign = async (body?: object, id = fileId) => {
      const response = await api.fetch(`/api/v1/playback/files/${id}/address`, {
        token,
        method: 'POST',
        ...(body && {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      });
      expect(response.status).to.equal(201);
      return (await response.json()) as { url: string; expiresAt: string };
    };
    const check = async (url: string) => {
      const response = await api.fetch(url, { headers: { range: 'bytes=0-3' } });
      if (response.status === 206) return (await bodyOf(response)).equals(bytes.subarray(0, 4));
      return `${response.status} ${await typeOf(response)}`;
    };

    it('open the file to whoever has them, for six hours', async () => {
      const { url, expiresAt } = await sign();
      expect(Date.parse(expiresAt)).to.be.closeTo(clock + 6 * 3_600_000, 1_000);
      expect(await check(url)).to.equal(true);
      clock = Date.parse(expiresAt) - 1_000;
      expect(await check(url)).to.equal(true);
      clock = Date.parse(expiresAt);
      expect(await check(url)).to.equal('401 token-expired');
    });

    it('last as long as asked for, at most a day', async () => {
      const { expiresAt } = await sign({ lifetimeMs: 60_000 });
      expect(Date.parse(expiresAt)).to.be.closeTo(clock + 60_000, 1_000);
      for (const lifetimeMs of [59_999, 86_400_001, '1h']) {
        const response = await api.fetch(`/api/v1/playback/files/${fileId}/address`, {
          token,
          method: 'POST',
          body: JSON.stringify({ lifetimeMs }),
          headers: { 'content-type': 'application/json' },
        });
        expect(response.status).to.equal(400);
      }
    });

    it('are for one file', async () => {
      writeFileSync(join(root, 'other.mkv'), 'other');
      const other = await rows.addFile({ path: 'other.mkv', role: 'video' });
      const { url } = await sign();
      expect(await check(url.replace(fileId, other))).to.equal('403 forbidden');
    });

    it('open nothing else', async () => {
      const { url } = await sign();
      const query = url.slice(url.indexOf('?'));
      for (const [method, at] of [
        ['GET', `/api/v1/playback/files/${fileId}`],
        ['POST', `/api/v1/playback/files/${fileId}/address`],
        ['DELETE', '/api/v1/playback/addresses'],
      ] as const) {
        const response = await api.fetch(at + query, { method });
        expect(response.status, `${method} ${at}`).to.be.oneOf([400, 401]);
      }
    });

    it('cannot be made up', async () => {
      const { url } = await sign();
      const cut = url.indexOf('token=') + 6;
      const [head, payload = '', mac] = url.slice(cut).split('.');
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
      const forged = Buffer.from(JSON.stringify({ ...claims, exp: 9_999_999_999 }));
      const none = Buffer.from('{"alg":"none","typ":"address+jwt"}').toString('base64url');
      for (const tampered of [
        'x',
        'a.b.c',
        `${head}.${forged.toString('base64url')}.${mac}`,
        `${none}.${payload}.`,
        `${head}.${payload}.${'A'.repeat(43)}`,
      ]) {
        expect(await check(url.slice(0, cut) + tampered)).to.equal('401 token-invalid');
      }
    });

    it('end with the session that asked for them', async () => {
      const { url } = await sign();
      ended.add('session-1');
      expect(await check(url)).to.equal('401 unauthenticated');
    });

    it('end when their user revokes them; new ones may be made', async () => {
      const old = await sign();
      expect(await check(old.url)).to.equal(true);
      const revoked = await api.fetch('/api/v1/playback/addresses', { token, method: 'DELETE' });
      expect(revoked.status).to.equal(204);
      expect(await check(old.url)).to.equal('401 token-invalid');
      expect(await check((await sign()).url)).to.equal(true);
    });
  });

  describe('on a mount that hangs', () => {
    needs('root');

    it('answers 503, at once the second time, and serves the others', async () => {
      await using hung = await mountHung();
      const shares = await libraryRows(db.sql, hung.path);
      const id = await shares.addFile({ path: 'film.mkv', role: 'video' });
      const first = api.fetch(path(id), { token });
      const well = await ask({ range: 'bytes=0-0' });
      expect(well.status).to.equal(206);
      expect((await first).status).to.equal(503);
      while (media.stats().suspended.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const again = await api.fetch(path(id), { token });
      expect(again.status).to.equal(503);
      expect(await typeOf(again)).to.equal('media-unavailable');
      expect((await ask({ range: 'bytes=0-0' })).status).to.equal(206);
    });
  });
});
