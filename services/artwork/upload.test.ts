import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { expect } from 'chai';
import sharp from 'sharp';
import { artworkRig, type ArtworkRig, type ItemImage } from '#test/artwork.ts';
import { specOf, testApi } from '#test/http.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createMedia, type MediaEngine } from '#storage/media/index.ts';
import { MediaError } from '#storage/media/media.ts';
import { createOutbound, type Outbound } from '#storage/outbound/index.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const create = { width: 200, height: 300, channels: 3, background: '#a33' } as const;
const paint = (background: string) => sharp({ create: { ...create, background } });
const whole = (buffer: Buffer): Bytes => new Uint8Array(buffer);

/** A PNG that says it is this large, and holds one row. */
function claiming(width: number, height: number): Bytes {
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return whole(
    Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', head),
      chunk('IDAT', deflateSync(Buffer.alloc(1 + width * 3))),
      chunk('IEND', Buffer.alloc(0)),
    ]),
  );
}

describe('pictures that people upload', function () {
  let db: TestDatabase;
  let media: MediaEngine;
  let outbound: Outbound;
  let rig: ArtworkRig;

  before(async () => {
    db = await testDatabase();
    outbound = createOutbound({ userAgent: 'Revenge/test' });
    media = createMedia({
      ...{ log: quiet, processes: 1, idleMs: 60_000, perMountLimit: 4, now: Date.now },
    });
  });
  after(async () => {
    await media[Symbol.asyncDispose]();
    await outbound[Symbol.asyncDispose]();
    await db.close();
  });
  beforeEach(async () => {
    rig = await artworkRig({ db, media, outbound });
  });
  afterEach(() => rig.close());

  const upload = (body: Bytes, { as = 'image/png', type = 'poster', of = rig.itemId } = {}) =>
    rig.api.fetch(`/api/v1/items/movie/${of}/images?type=${type}`, {
      ...{ method: 'POST', token: 'movies:write', headers: { 'content-type': as }, body },
    });
  const uploaded = async (body: Bytes): Promise<ItemImage> => {
    const answer = await upload(body);
    expect(answer.status, await answer.clone().text()).to.equal(201);
    return (await answer.json()) as ItemImage;
  };
  const remove = (id: string) =>
    rig.api.fetch(`/api/v1/items/movie/${rig.itemId}/images/${id}`, {
      ...{ method: 'DELETE', token: 'movies:write' },
    });
  const counted = async () => {
    const [row] = await db.sql<[{ count: number }]>`
      select count(*)::int from image_uploads u left join images i on i.id = u.image_id
      where i.item_id = ${rig.itemId} or i.id is null`;
    return row.count;
  };

  it('are shown before all others, and stay so', async () => {
    await paint('#3a3').jpeg().toFile(join(rig.root, 'poster.jpg'));
    await rig.found('poster.jpg', 'image');
    await rig.refresh();
    const image = await uploaded(whole(await paint('#33a').png().toBuffer()));
    expect(image).to.deep.include({ type: 'poster', source: 'upload', width: 200 });
    expect(image).to.include({ isChosen: true, isChosenByUser: true });
    expect(rig.stale).to.include.members([`movie:${rig.itemId}`, 'movies']);
    await rig.refresh();
    expect((await rig.chosen())?.id).to.equal(image.id);
    expect(await rig.list()).to.have.length(2);
  });

  it('are shown again when they come once more', async () => {
    const first = whole(await paint('#33a').png().toBuffer());
    const { id } = await uploaded(first);
    await uploaded(whole(await paint('#a33').png().toBuffer()));
    expect((await rig.chosen())?.id).not.to.equal(id);
    expect(await uploaded(first)).to.include({ id, isChosen: true });
    expect((await rig.chosen())?.id).to.equal(id);
  });

  it('are served by a node that never had them', async () => {
    const { url } = await uploaded(whole(await paint('#33a').png().toBuffer()));
    const other = await testApi({
      handlers: rig.node(rig.blobsIn('.other')).handlers,
      spec: specOf('images'),
    });
    try {
      const answer = await other.fetch(`${url}?width=100`, { headers: { accept: 'image/webp' } });
      expect(answer.status).to.equal(200);
      const { format } = await sharp(await answer.arrayBuffer()).metadata();
      expect(format).to.equal('webp');
    } finally {
      await other.close();
    }
  });

  it('are not handed over to a file that holds the same, and may go', async () => {
    const bytes = whole(await paint('#33a').png().toBuffer());
    const image = await uploaded(bytes);
    expect((await uploaded(bytes)).id, 'once more').to.equal(image.id);
    writeFileSync(join(rig.root, 'poster.png'), bytes);
    await rig.found('poster.png', 'image');
    await rig.refresh();
    expect(await rig.chosen()).to.include({ id: image.id, source: 'upload' });
    expect(await counted()).to.equal(1);
    expect((await remove(image.id)).status).to.equal(204);
    expect(await counted()).to.equal(0);
    await rig.refresh();
    const local = await rig.chosen();
    expect(local).to.include({ source: 'local', isChosenByUser: false });
    expect((await remove(local!.id)).status, 'of a file').to.equal(422);
    expect((await remove(image.id)).status, 'gone').to.equal(404);
  });

  it('ask for a new look when they go, as a file may have the same picture', async () => {
    const bytes = whole(await paint('#33a').png().toBuffer());
    writeFileSync(join(rig.root, 'poster.png'), bytes);
    await rig.found('poster.png', 'image');
    await rig.refresh();
    const { id } = await uploaded(bytes);
    await db.sql`truncate shared.jobs`;
    expect((await remove(id)).status).to.equal(204);
    const asked = await db.sql`select name, payload from shared.jobs`;
    const payload = { kind: 'movie', itemIds: [rig.itemId] };
    expect([...asked]).to.deep.equal([{ name: 'artwork.refresh', payload }]);
    await rig.refresh();
    expect(await rig.chosen()).to.include({ source: 'local' });
  });

  it('pass the pictures that nobody waits for', async () => {
    const priorities: (string | undefined)[] = [];
    rig.media.inspectImage = (bytes, call) => {
      priorities.push(call.priority);
      return media.inspectImage(bytes, call);
    };
    const bytes = whole(await paint('#33a').png().toBuffer());
    writeFileSync(join(rig.root, 'poster.png'), bytes);
    await rig.found('poster.png', 'image');
    await rig.refresh();
    await uploaded(bytes);
    expect(priorities).to.deep.equal([undefined, 'user']);
  });

  it('are not kept for what went while they were looked at', async () => {
    const bytes = whole(await paint('#33a').png().toBuffer());
    rig.media.inspectImage = async (...call) => {
      const facts = await media.inspectImage(...call);
      rig.isThere.now = false;
      return facts;
    };
    expect((await upload(bytes)).status).to.equal(404);
    expect(await counted()).to.equal(0);
  });

  it('are sent to nobody as they came', async () => {
    const jpeg = await paint('#a3a')
      .withExif({ IFD0: { Artist: 'Nobody' } })
      .jpeg()
      .toBuffer();
    const tail = Buffer.from('PK\x03\x04<script>alert(1)</script>', 'latin1');
    const { url } = await uploaded(whole(Buffer.concat([jpeg, tail])));
    const answer = await rig.api.fetch(url, { headers: { accept: 'image/jpeg' } });
    const sent = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    expect(answer.headers.get('content-type')).to.equal('image/jpeg');
    expect(sent).to.not.match(/script|Nobody|PK/);
  });

  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  const hostile: [string, number, () => Bytes | Promise<Bytes>][] = [
    ['an SVG', 422, () => whole(Buffer.from(svg))],
    ['a script that begins as a GIF', 422, () => whole(Buffer.from(`GIF89a/*${svg}*/=1;`))],
    ['a PDF', 422, () => whole(Buffer.from('%PDF-1.4\n%âãÏÓ\n1 0 obj'))],
    ['a PNG of 30,000 × 30,000 pixels', 413, () => claiming(30_000, 30_000)],
    ['a PNG that lacks most of its rows', 422, () => claiming(300, 400)],
    ['a PNG of no size', 422, () => claiming(0, 0)],
    [
      'half a JPEG',
      422,
      async () => {
        const all = await sharp({ create: { ...create, noise: { type: 'gaussian' } } as never })
          .jpeg()
          .toBuffer();
        return whole(all.subarray(0, all.length / 2));
      },
    ],
    ['17 MiB', 413, () => new Uint8Array(17 * 1024 * 1024)],
  ];
  for (const [name, status, make] of hostile) {
    it(`are refused when they are ${name}`, async () => {
      const answer = await upload(await make());
      expect(answer.status, await answer.clone().text()).to.equal(status);
      const { detail } = (await answer.json()) as { detail: string };
      expect(detail).to.match(status === 413 ? /pixels|bytes/ : /^This is no picture: /);
      expect(await rig.list()).to.deep.equal([]);
      expect(await counted()).to.equal(0);
    });
  }

  for (const code of ['timeout', 'unavailable', 'tool-missing'] as const) {
    it(`are asked for again where looking at them fails for now: ${code}`, async () => {
      rig.media.inspectImage = () => Promise.reject(new MediaError(code, 'not now'));
      const answer = await upload(whole(await paint('#33a').png().toBuffer()));
      expect(answer.status).to.equal(503);
      expect(answer.headers.get('retry-after')).to.equal('10');
      expect(await counted()).to.equal(0);
    });
  }

  it('are refused as what they are not, for what is not there, and without end', async () => {
    const bytes = whole(await paint('#33a').png().toBuffer());
    const statusOf = async (wish: object) => (await upload(bytes, wish)).status;
    expect(await statusOf({ as: 'image/svg+xml' })).to.equal(415);
    expect(await statusOf({ type: 'portrait' })).to.equal(400);
    expect(await statusOf({ of: '01890000-0000-7000-8000-00000000dead' })).to.equal(404);
    for (let red = 0; red < 32; red += 1) {
      await uploaded(whole(await paint(`rgb(${red}, 0, 0)`).png().toBuffer()));
    }
    expect(await statusOf({})).to.equal(409);
  });
});
