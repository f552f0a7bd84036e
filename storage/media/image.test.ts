import { expect } from 'chai';
import sharp from 'sharp';
import { quiet } from '#test/log.ts';
import { createMedia, MediaError, type MediaEngine } from './index.ts';

const paint = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#a33' } });

describe('images', () => {
  let media: MediaEngine;
  before(() => {
    media = createMedia({
      log: quiet,
      processes: 2,
      idleMs: 60_000,
      perMountLimit: 4,
      now: Date.now,
    });
  });
  after(() => media[Symbol.asyncDispose]());

  const failure = async (bytes: Uint8Array): Promise<MediaError> => {
    const faults: unknown[] = await Promise.all(
      [media.inspectImage(bytes, {}), media.resizeImage(bytes, { width: 100, format: 'webp' })].map(
        (work) => work.catch((error: unknown) => error),
      ),
    );
    const [first, second] = faults;
    if (!(first instanceof MediaError)) throw new Error('it did not fail');
    expect(second).to.include({ code: first.code, message: first.message });
    return first;
  };

  for (const format of ['jpeg', 'png', 'webp', 'avif', 'gif'] as const) {
    it(`describes ${format}`, async () => {
      const bytes = await paint(60, 90).toFormat(format).toBuffer();
      const facts = await media.inspectImage(bytes, {});
      expect(facts).to.include({ format, width: 60, height: 90 });
      expect(facts.blurhash).to.match(/^L.{27}$/);
      expect(facts.sha256).to.match(/^[0-9a-f]{64}$/);
    });
  }

  for (const format of ['webp', 'avif', 'jpeg'] as const) {
    it(`makes ${format}, smaller but never larger, without the source’s metadata`, async () => {
      const bytes = await paint(600, 900)
        .withExif({ IFD0: { Copyright: 'secret place' } })
        .jpeg()
        .toBuffer();
      for (const [asked, width] of [
        [300, 300],
        [600, 600],
        [5_000, 600],
      ] as const) {
        const made = await media.resizeImage(bytes, { width: asked, format });
        const found = await sharp(made).metadata();
        expect(found).to.include({ width, height: width * 1.5 });
        expect(found.exif).to.equal(undefined);
        expect(Buffer.from(made).includes('secret place')).to.equal(false);
      }
    });
  }

  for (const format of ['webp', 'avif', 'jpeg'] as const) {
    it(`makes ${format} of a picture that is higher than that may be`, async () => {
      const bytes = await paint(2, 60_000).png().toBuffer();
      const made = await media.resizeImage(bytes, { width: 600, format });
      expect(await sharp(made).metadata()).to.include({ width: 1, height: 16_383 });
    });
  }

  it('turns a picture as its orientation says', async () => {
    const bytes = await paint(90, 60).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await media.inspectImage(bytes, {})).to.include({ width: 60, height: 90 });
    const made = await media.resizeImage(bytes, { width: 30, format: 'jpeg' });
    expect(await sharp(made).metadata()).to.include({ width: 30, height: 45 });
  });

  it('refuses a picture of a hundred megapixels by its head alone', async () => {
    const small = await paint(8, 8).jpeg().toBuffer();
    const bomb = Buffer.from(small);
    const frame = bomb.indexOf(Buffer.from([0xff, 0xc0]));
    bomb.writeUInt16BE(10_000, frame + 5);
    bomb.writeUInt16BE(10_000, frame + 7);
    const error = await failure(bomb);
    expect(error.code).to.equal('too-large');
    expect(error.message).to.equal('10000 × 10000 pixels; 64000000 are allowed');
  });

  it('refuses a picture of too many bytes', async () => {
    const bytes = Buffer.alloc(48 * 1024 * 1024 + 1);
    Buffer.from([0xff, 0xd8, 0xff]).copy(bytes);
    expect((await failure(bytes)).code).to.equal('too-large');
  });

  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"></svg>';
  const others: [name: string, bytes: Buffer][] = [
    ['SVG', Buffer.from(svg)],
    ['SVG with an XML head', Buffer.from(`<?xml version="1.0"?>${svg}`)],
    ['TIFF', Buffer.from('II*\0aaaaaaaaaaaaaaaaaaa')],
    ['BMP', Buffer.from('BMaaaaaaaaaaaaaaaaaaaaaa')],
    ['HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic')],
    ['HTML', Buffer.from('<!doctype html>')],
    ['a raw image of libvips', Buffer.from('\x08\xf2\xa6\xb6aaaaaaaaaaaaaaaa', 'latin1')],
    ['nothing', Buffer.alloc(0)],
  ];
  for (const [name, bytes] of others) {
    it(`refuses ${name}`, async () => {
      const error = await failure(bytes);
      expect(error).to.include({
        code: 'unreadable',
        message: 'not a JPEG, PNG, WebP, AVIF or GIF image',
      });
    });
  }

  it('refuses a picture that ends in the middle', async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
    const whole = await sharp({
      create: { width: 300, height: 300, channels: 3, noise, background: '#000' },
    })
      .jpeg()
      .toBuffer();
    const error = await failure(whole.subarray(0, whole.length / 2));
    expect(error.code).to.equal('unreadable');
    expect(await media.inspectImage(whole, {})).to.include({ width: 300 });
  });
});
