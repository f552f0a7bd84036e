import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import { artworkRig, type ArtworkRig } from '#test/artwork.ts';
import { specOf, testApi } from '#test/http.ts';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createMedia, type MediaEngine } from '#storage/media/index.ts';
import { inheritChoices } from './inherit.ts';
import { createOutbound, type Outbound } from '#storage/outbound/index.ts';

const paint = (path: string, ...[width, height, background = '#a33']: [number, number, string?]) =>
  sharp({ create: { width, height, channels: 3, background } }).toFile(path);

describe('artwork', function () {
  let db: TestDatabase;
  let media: MediaEngine;
  let outbound: Outbound;
  let rig: ArtworkRig;
  let { root, itemId, stale, blobsIn, node, artwork, api } = {} as ArtworkRig;
  let { list, found, refresh, chosen, writeClass } = {} as ArtworkRig;

  before(async () => {
    db = await testDatabase();
    outbound = createOutbound({ userAgent: 'Revenge/test' });
    media = createMedia({
      log: quiet,
      processes: 2,
      idleMs: 60_000,
      perMountLimit: 4,
      now: Date.now,
    });
  });
  after(async () => {
    await media[Symbol.asyncDispose]();
    await outbound[Symbol.asyncDispose]();
    await db.close();
  });

  beforeEach(async () => {
    rig = await artworkRig({ db, media, outbound });
    ({ root, itemId, stale, blobsIn, node, artwork, api } = rig);
    ({ list, found, refresh, chosen, writeClass } = rig);
  });
  afterEach(() => rig.close());

  describe('of local pictures', () => {
    it('finds them by name, and shows the surest of each type', async () => {
      await paint(join(root, 'folder.jpg'), 300, 450);
      await paint(join(root, 'Heat-poster.jpg'), 200, 300, '#3a3');
      await paint(join(root, 'fanart.jpg'), 640, 360);
      await paint(join(root, 'holiday.jpg'), 640, 360, '#123');
      for (const name of ['folder.jpg', 'Heat-poster.jpg', 'fanart.jpg', 'holiday.jpg']) {
        await found(name, 'image');
      }
      writeFileSync(join(root, 'Heat.mkv'), 'film');
      await found('Heat.mkv', 'video');
      await refresh();
      const images = await list();
      expect(images.map(({ type, width, isChosen }) => [type, width, isChosen])).to.deep.equal([
        ['backdrop', 640, true],
        ['poster', 200, true],
        ['poster', 300, false],
      ]);
      expect(stale).to.have.members([`movie:${itemId}`, 'movies']);
      const shown = await artwork.forItems(db.sql, 'movie', [itemId, randomUUID()]);
      expect([...shown.keys()]).to.deep.equal([itemId]);
      expect(shown.get(itemId)?.['poster']).to.include({ width: 200, height: 300 });
      expect(shown.get(itemId)?.['poster']?.url).to.equal(images[1]?.url);
    });

    it('changes nothing when nothing changed, and follows what did', async () => {
      await paint(join(root, 'poster.jpg'), 200, 300);
      const fileId = await found('poster.jpg', 'image');
      await refresh();
      const before = await chosen();
      stale.length = 0;
      await refresh();
      expect(stale).to.deep.equal([]);
      await paint(join(root, 'poster.jpg'), 400, 600, '#33a');
      const { size, mtimeMs } = statSync(join(root, 'poster.jpg'));
      await db.sql`update files set size_bytes = ${size}, mtime_ms = ${mtimeMs} where id = ${fileId}`;
      await refresh();
      const after = await chosen();
      expect(after?.width).to.equal(400);
      expect(after?.url).to.not.equal(before?.url);
      expect(await list()).to.have.length(1);
      expect((await api.fetch(before?.url ?? '')).status).to.equal(404);
    });

    it('leaves out what is no picture', async () => {
      writeFileSync(join(root, 'poster.jpg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
      await paint(join(root, 'cover.jpg'), 200, 300);
      await found('poster.jpg', 'image');
      await found('cover.jpg', 'image');
      await refresh();
      expect(await list()).to.have.length(1);
    });

    it('keeps all when the share is away', async () => {
      await paint(join(root, 'poster.jpg'), 200, 300);
      const fileId = await found('poster.jpg', 'image');
      await refresh();
      await db.sql`update library_roots set unavailable_since = now()
        where id = (select root_id from files where id = ${fileId})`;
      await refresh();
      expect(await list()).to.have.length(1);
      await db.sql`update library_roots set unavailable_since = null, path = path || '/away'
        where id = (select root_id from files where id = ${fileId})`;
      await db.sql`update files set mtime_ms = 0 where id = ${fileId}`;
      const error: unknown = await refresh().catch((fault: unknown) => fault);
      expect(error).to.include({ code: 'media-unavailable' });
      expect(await list()).to.have.length(1);
    });
  });

  it('shows what a person chose, until that is taken back or gone', async () => {
    await paint(join(root, 'poster.jpg'), 200, 300);
    await paint(join(root, 'cover.jpg'), 210, 300);
    const [, coverFile] = [await found('poster.jpg', 'image'), await found('cover.jpg', 'image')];
    await refresh();
    const cover = (await list()).find(({ width }) => width === 210);
    expect((await chosen())?.width).to.equal(200);
    expect((await writeClass(cover?.id ?? '', 'PUT')).status).to.equal(204);
    expect(await chosen()).to.include({ width: 210, isChosenByUser: true });
    await refresh();
    expect((await chosen())?.width).to.equal(210);
    expect((await writeClass(cover?.id ?? '', 'DELETE')).status).to.equal(204);
    expect(await chosen()).to.include({ width: 200, isChosenByUser: false });
    await writeClass(cover?.id ?? '', 'PUT');
    await db.sql`update files set missing_since = now() where id = ${coverFile}`;
    await refresh();
    expect(await chosen()).to.include({ width: 200, isChosenByUser: false });
    await db.sql`update files set missing_since = null where id = ${coverFile}`;
    await refresh();
    expect(await chosen()).to.include({ width: 210, isChosenByUser: true });
    await db.sql`delete from files where id = ${coverFile}`;
    await refresh();
    expect(await chosen()).to.include({ width: 200, isChosenByUser: false });
    expect((await writeClass(randomUUID(), 'PUT')).status).to.equal(404);
    expect((await writeClass(cover?.id ?? '', 'PUT')).status).to.equal(404);
  });

  it('shows what a person chose when its file is another one now', async () => {
    await paint(join(root, 'poster.jpg'), 200, 300);
    await paint(join(root, 'cover.jpg'), 210, 300);
    const [, coverFile] = [await found('poster.jpg', 'image'), await found('cover.jpg', 'image')];
    await refresh();
    const cover = (await list()).find(({ width }) => width === 210);
    await writeClass(cover?.id ?? '', 'PUT');
    await paint(join(root, 'cover.jpg'), 220, 300);
    const { size, mtimeMs } = statSync(join(root, 'cover.jpg'));
    await db.sql`
      update files set size_bytes = ${size}, mtime_ms = ${mtimeMs} where id = ${coverFile}`;
    await refresh();
    expect(await chosen()).to.include({ width: 220, isChosenByUser: true });
  });

  it('shows what a person chose while its file was read anew', async () => {
    const deed = { chosen: '' };
    const read: MediaEngine['read'] = async (...asked) => {
      if (deed.chosen !== '') await writeClass(deed.chosen, 'PUT');
      return media.read(...asked);
    };
    await using stack = new AsyncDisposableStack();
    const slow = await artworkRig({ db, media: { ...media, read }, outbound });
    stack.defer(() => slow.close());
    ({ root, found, refresh, list, chosen, writeClass } = slow);
    await paint(join(root, 'poster.jpg'), 200, 300);
    await paint(join(root, 'cover.jpg'), 210, 300);
    const [, coverFile] = [await found('poster.jpg', 'image'), await found('cover.jpg', 'image')];
    await refresh();
    const poster = await chosen();
    const cover = (await list()).find(({ width }) => width === 210);
    await writeClass(cover?.id ?? '', 'PUT');
    await paint(join(root, 'cover.jpg'), 220, 300);
    const { size, mtimeMs } = statSync(join(root, 'cover.jpg'));
    await db.sql`
      update files set size_bytes = ${size}, mtime_ms = ${mtimeMs} where id = ${coverFile}`;
    deed.chosen = poster?.id ?? '';
    await refresh();
    expect((await list()).map(({ width }) => width)).to.have.members([200, 220]);
    expect(await chosen()).to.include({ width: 200, isChosenByUser: true });
  });

  it('shows what a person chose of a work that turned out to be one with the same picture', async () => {
    await paint(join(root, 'poster.jpg'), 200, 300);
    await paint(join(root, 'cover.jpg'), 210, 300);
    for (const name of ['poster.jpg', 'cover.jpg']) await found(name, 'image');
    await refresh();
    const cover = (await list()).find(({ width }) => width === 210);
    const other = randomUUID();
    await db.sql`
      insert into images (
        kind, item_id, type, source, rank, sha256, format, width, height, blurhash, is_chosen)
      select kind, ${other}, type, source, rank, sha256, format, width, height, blurhash, is_chosen
      from images where item_id = ${itemId}`;
    await writeClass(cover?.id ?? '', 'PUT');
    await db.sql.begin((tx) => inheritChoices(tx, 'movie', [{ from: itemId, to: other }]));
    const shown = await artwork.forItems(db.sql, 'movie', [other]);
    expect(shown.get(other)?.['poster']).to.include({ width: 210 });
  });

  describe('from films', () => {
    needs('ffmpeg', 'ffprobe');
    const ffmpeg = (...args: string[]) =>
      execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { timeout: 60_000 });
    const film = async (name: string, ...more: string[]) => {
      ffmpeg(...more, '-c:v', 'libx264', '-preset', 'ultrafast', join(root, name));
      return found(name, 'video', { probe: await media.probe(root, name, {}) });
    };

    it('takes the picture inside, where there is none beside', async () => {
      await paint(join(root, 'inside.jpg'), 200, 300);
      const source = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=1'];
      const attach = ['-attach', join(root, 'inside.jpg'), '-metadata:s:t', 'mimetype=image/jpeg'];
      await film('Heat.mkv', ...source, ...attach, '-metadata:s:t', 'filename=cover.jpg');
      await refresh();
      expect(await chosen()).to.include({ source: 'embedded', width: 200 });
      expect(await chosen('backdrop')).to.include({ source: 'frame', width: 320 });
      await paint(join(root, 'poster.jpg'), 220, 300);
      await found('poster.jpg', 'image');
      await refresh();
      expect(await chosen()).to.include({ source: 'local', width: 220 });
      expect((await list()).some(({ source }) => source === 'embedded')).to.equal(true);
    });

    it('takes a frame that shows something, as long as there is nothing better', async () => {
      // Black but for the middle: of the frames looked at one shows a picture.
      const graph = 'color=s=320x180:d=4[a];testsrc2=s=320x180:d=2[b];color=s=320x180:d=4[c]';
      const joined = `${graph};[a][b][c]concat=n=3:v=1`;
      await film('Heat.mkv', '-filter_complex', joined, '-g', '25');
      await refresh();
      const poster = await chosen();
      expect(poster?.source).to.equal('frame');
      const { sha256, at_ms: atMs } = (
        await db.sql<{ sha256: string; at_ms: number }[]>`
          select sha256, at_ms from images where id = ${poster?.id ?? ''}`
      )[0] ?? { sha256: '', at_ms: 0 };
      expect(atMs).to.be.within(3_900, 6_000);
      const bytes = await blobsIn('.blobs').get(sha256);
      const { channels } = await sharp(Buffer.from(bytes ?? [])).stats();
      expect(Math.max(...channels.map(({ stdev }) => stdev))).to.be.greaterThan(20);
      stale.length = 0;
      await refresh();
      expect(stale).to.deep.equal([]);
      await paint(join(root, 'poster.jpg'), 220, 300);
      await found('poster.jpg', 'image');
      await refresh();
      expect((await list()).map(({ type, source }) => `${type} ${source}`)).to.deep.equal([
        'backdrop frame',
        'poster local',
      ]);
    });

    it('leaves frames to a job of their own, which waits for better work to be done', async () => {
      await film('Heat.mkv', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=1');
      await paint(join(root, 'poster.jpg'), 220, 300);
      await found('poster.jpg', 'image');
      await db.sql`truncate shared.jobs`;
      const [looking, frames] = artwork.jobs;
      const context = {
        ...{ jobId: 'test', attempt: 1, log: quiet, progress: () => undefined },
        signal: new AbortController().signal,
      };
      const payload = { kind: 'movie', itemIds: [itemId] };
      await looking?.run(payload, context);
      const due = () => db.sql`
        select name, queue, priority, payload, run_at > now() as is_later from shared.jobs`;
      const job = { name: 'artwork.frames', queue: 'transcode', priority: 3, payload };
      expect(await due()).to.deep.equal([{ ...job, is_later: false }]);
      expect((await list()).map(({ source }) => source)).to.deep.equal(['local']);
      await db.sql`truncate shared.jobs`;
      rig.isIdle.now = false;
      await frames?.run(payload, context);
      expect(await due()).to.deep.equal([{ ...job, is_later: true }]);
      expect((await list()).map(({ source }) => source)).to.deep.equal(['local']);
      rig.isIdle.now = true;
      await frames?.run(payload, context);
      expect(await chosen('backdrop')).to.include({ source: 'frame' });
    });

    it('keeps a frame that a person chose, whatever comes, and has one of a better file', async () => {
      const fileId = await film('Heat.mkv', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=1');
      await refresh();
      await writeClass((await chosen())!.id, 'PUT');
      await paint(join(root, 'poster.jpg'), 220, 300);
      await found('poster.jpg', 'image');
      await refresh();
      expect(await chosen()).to.include({ source: 'frame', width: 320, isChosenByUser: true });
      await db.sql`update files set missing_since = now() where id = ${fileId}`;
      await film('Better.mkv', '-f', 'lavfi', '-i', 'testsrc2=s=640x360:d=1');
      await refresh();
      expect(await chosen()).to.include({ source: 'frame', width: 640, isChosenByUser: true });
      await refresh();
      expect(await chosen()).to.include({ source: 'frame', width: 640, isChosenByUser: true });
    });

    it('makes again on another node what that one never had', async () => {
      await film('Heat.mkv', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=1');
      await paint(join(root, 'logo.png'), 300, 100);
      await found('logo.png', 'image');
      await refresh();
      const urls = (await list()).map(({ url }) => url);
      expect(urls).to.have.length(3);
      const other = node(blobsIn('.other'));
      await using there = await testApi({ handlers: other.handlers, spec: specOf('images') });
      for (const url of urls) expect((await there.fetch(url)).status).to.equal(200);
    });
  });

  describe('delivery', () => {
    let url: string;
    beforeEach(async () => {
      await paint(join(root, 'poster.jpg'), 1_000, 1_500);
      await found('poster.jpg', 'image');
      await refresh();
      url = (await chosen())?.url ?? '';
    });

    const get = (query: string, accept = 'image/webp,*/*', headers = {}) =>
      api.fetch(url + query, { headers: { accept, ...headers } });

    it('sends the size and the format asked for, for ever', async () => {
      const table: [query: string, accept: string, type: string, width: number][] = [
        ['?width=300', 'image/webp,*/*', 'image/webp', 320],
        ['?width=321', '*/*', 'image/jpeg', 480],
        ['?width=96', 'image/avif', 'image/avif', 96],
        ['', 'image/webp', 'image/webp', 1_000],
        ['?width=9999', 'image/webp', 'image/webp', 1_000],
      ];
      for (const [query, accept, type, width] of table) {
        const response = await get(query, accept);
        expect(response.status).to.equal(200);
        expect(Object.fromEntries(response.headers)).to.include({
          'content-type': type,
          'cache-control': 'public, max-age=31536000, immutable',
          vary: 'Accept',
        });
        const bytes = Buffer.from(await response.arrayBuffer());
        expect((await sharp(bytes).metadata()).width).to.equal(width);
        const etag = response.headers.get('etag') ?? '';
        expect((await get(query, accept, { 'if-none-match': etag })).status).to.equal(304);
      }
    });

    it('makes each once, however many ask', async () => {
      await Promise.all(Array.from({ length: 20 }, () => get('?width=480')));
      rmSync(join(root, 'poster.jpg'));
      expect((await get('?width=480')).status).to.equal(200);
    });

    it('shows nothing to whoever guesses', async () => {
      const [, id = '', key = ''] = /images\/([^/]+)\/(.+)$/.exec(url) ?? [];
      const other = key.startsWith('A') ? `B${key.slice(1)}` : `A${key.slice(1)}`;
      for (const [imageId, guess] of [
        [id, other],
        [randomUUID(), key],
        [id, 'A'.repeat(22)],
      ] as const) {
        const response = await api.fetch(`/api/v1/images/${imageId}/${guess}`);
        expect(response.status).to.equal(404);
      }
      expect((await api.fetch(`/api/v1/images/${id}/short`)).status).to.equal(400);
    });

    it('sends nothing that the client does not take', async () => {
      expect((await get('', 'text/html')).status).to.equal(406);
    });

    it('says that the picture is gone when it is, and nothing else can make it', async () => {
      rmSync(join(root, '.blobs'), { recursive: true });
      copyFileSync(join(root, 'poster.jpg'), join(root, 'safe.jpg'));
      await paint(join(root, 'poster.jpg'), 50, 50);
      expect((await get('')).status).to.equal(404);
      rmSync(join(root, 'poster.jpg'));
      expect((await get('')).status).to.equal(404);
      copyFileSync(join(root, 'safe.jpg'), join(root, 'poster.jpg'));
      expect((await get('')).status).to.equal(200);
    });
  });

  it('keeps nothing for what was deleted while its files were looked at', async () => {
    await paint(join(root, 'poster.jpg'), 200, 300);
    await found('poster.jpg', 'image');
    rig.media.inspectImage = async (...call) => {
      const facts = await media.inspectImage(...call);
      rig.isThere.now = false;
      return facts;
    };
    await refresh();
    expect(await db.sql`select from images where item_id = ${itemId}`).to.have.length(0);
  });

  it('asks for a look at each item, in jobs of a few', async () => {
    const ids = Array.from({ length: 40 }, () => randomUUID());
    for (const [nth, id] of ids.entries()) {
      await rig.rows.addFile({ path: `${nth}.jpg`, role: 'image', itemId: id });
    }
    await db.sql.begin((tx) => artwork.filesChanged(tx, 'movie', ids));
    const jobs = await db.sql<{ ids: string[] }[]>`
      select payload->'itemIds' as ids from shared.jobs where name = 'artwork.refresh'`;
    expect(jobs.map((job) => job.ids.length)).to.have.members([16, 16, 8]);
    expect(jobs.flatMap((job) => job.ids)).to.have.members(ids);
  });

  it('asks for no look at a film that has yet to be looked into, and has no picture', async () => {
    const [due, done, pictured] = [randomUUID(), randomUUID(), randomUUID()];
    await rig.rows.addFile({ path: 'a.mkv', role: 'video', itemId: due });
    await rig.rows.addFile({ path: 'b.mkv', role: 'video', itemId: done });
    await rig.rows.addFile({ path: 'c.mkv', role: 'video', itemId: pictured });
    await rig.rows.addFile({ path: 'c.jpg', role: 'image', itemId: pictured });
    await db.sql`update files set probe_state = 'due' where item_id in (${due}, ${pictured})`;
    await db.sql`update files set probe_state = 'failed' where item_id = ${done}`;
    await db.sql`delete from shared.jobs`;
    await db.sql.begin((tx) => artwork.filesChanged(tx, 'movie', [due, done, pictured]));
    const jobs = await db.sql<{ ids: string[] }[]>`
      select payload->'itemIds' as ids from shared.jobs where name = 'artwork.refresh'`;
    expect(jobs.flatMap((job) => job.ids)).to.have.members([done, pictured]);
  });
});
