import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import { artworkRig, type ArtworkRig } from '#test/artwork.ts';
import { specOf, testApi } from '#test/http.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { startVendor, type Vendor, type VendorAnswer } from '#test/vendor.ts';
import { createMedia, type MediaEngine } from '#storage/media/index.ts';
import { createOutbound, type Outbound } from '#storage/outbound/index.ts';

describe('pictures that providers offer', function () {
  let db: TestDatabase;
  let media: MediaEngine;
  let vendor: Vendor;
  let outbound: Outbound;
  let rig: ArtworkRig;
  let { root, itemId, blobsIn, node, artwork } = {} as ArtworkRig;
  let { list, found, refresh, chosen, writeClass } = {} as ArtworkRig;

  before(async () => {
    db = await testDatabase();
    vendor = await startVendor();
    outbound = createOutbound({ trusted: [vendor.url], userAgent: 'Revenge/test' });
    media = createMedia({
      ...{ log: quiet, now: Date.now, idleMs: 60_000, perMountLimit: 4 },
      processes: 1,
    });
  });
  after(async () => {
    await media[Symbol.asyncDispose]();
    await outbound[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
    await db.close();
  });

  const pictures = new Map<string, VendorAnswer>();
  const offer = async (...names: string[]) => {
    const offers = names.map((name) => ({
      type: 'poster' as const,
      url: `${vendor.url}/${name}`,
    }));
    await db.sql.begin((tx) =>
      artwork.offered(tx, { kind: 'movie', itemId, provider: 'tmdb' }, offers),
    );
    await refresh();
  };
  const bytesOf = (background: string) =>
    sharp({ create: { width: 200, height: 300, channels: 3, background } })
      .jpeg()
      .toBuffer();
  beforeEach(async () => {
    rig = await artworkRig({ db, media, outbound });
    ({ root, itemId, blobsIn, node, artwork, list, found, refresh, chosen, writeClass } = rig);
    writeFileSync(join(root, 'Heat.mkv'), 'film');
    await found('Heat.mkv', 'video');
    vendor.asked.length = 0;
    vendor.respond = ({ pathname }) => pictures.get(pathname.slice(1)) ?? 404;
    pictures.set('a.jpg', { bytes: await bytesOf('#a33') });
    pictures.set('b.jpg', { bytes: await bytesOf('#33a') });
  });

  afterEach(() => rig.close());

  it('are fetched once, the best first', async () => {
    await offer('a.jpg', 'b.jpg');
    await refresh();
    expect(vendor.asked).to.deep.equal(['/a.jpg']);
    expect(await chosen()).to.include({ source: 'provider', width: 200 });
  });

  it('give way to those that lie beside the film, and are not fetched then', async () => {
    await writeFile(join(root, 'poster.jpg'), await bytesOf('#3a3'));
    await found('poster.jpg', 'image');
    await offer('a.jpg');
    expect(vendor.asked).to.deep.equal([]);
    expect(await chosen()).to.include({ source: 'local' });
  });

  it('are passed over where there is no picture, and stay while they are offered', async () => {
    pictures.set('page.jpg', { text: '<html>' });
    await offer('gone.jpg', 'page.jpg', 'b.jpg');
    expect(await chosen()).to.include({ source: 'provider' });
    await offer('a.jpg', 'b.jpg');
    expect(vendor.asked).to.deep.equal(['/gone.jpg', '/page.jpg', '/b.jpg']);
    await offer('a.jpg');
    expect(vendor.asked.at(-1)).to.equal('/a.jpg');
    expect(await list()).to.have.length(1);
  });

  it('stay when a person has chosen them', async () => {
    await offer('a.jpg');
    await writeClass((await chosen())!.id, 'PUT');
    await offer('b.jpg');
    expect((await list()).map(({ isChosenByUser }) => isChosenByUser)).to.deep.equal([true]);
  });

  it('are asked for later when the provider is away, and nothing is lost', async () => {
    await offer('a.jpg');
    pictures.set('b.jpg', 503);
    await db.sql`delete from shared.jobs`;
    await offer('b.jpg');
    expect(await list()).to.have.length(1);
    const later = await db.sql`
      select from shared.jobs where name = 'artwork.refresh' and run_at > now() + interval '5 min'`;
    expect(later).to.have.length(1);
  });

  it('are fetched again by a node that never had them', async () => {
    await offer('a.jpg');
    const { url } = (await chosen())!;
    const other = node(blobsIn('.other'));
    const theirs = await testApi({ handlers: other.handlers, spec: specOf('images') });
    const response = await theirs.fetch(url);
    expect([response.status, (await response.arrayBuffer()).byteLength > 0]).to.deep.equal([
      200,
      true,
    ]);
    await theirs.close();
    expect(vendor.asked).to.deep.equal(['/a.jpg', '/a.jpg']);
  });

  it('are never fetched from inside the home', async () => {
    await db.sql.begin((tx) =>
      artwork.offered(tx, { kind: 'movie', itemId, provider: 'tmdb' }, [
        { type: 'poster', url: 'http://169.254.169.254/a.jpg' },
      ]),
    );
    await refresh();
    expect(await list()).to.deep.equal([]);
  });
});
