import { createHash } from 'node:crypto';
import { encode } from 'blurhash';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { MediaError, type ImageFacts, type ImageTarget } from './media.ts';

const pixelsMax = 64_000_000;
const sidePixelsMax = 16_383; // WebP's own limit
const bytesMax = 48 * 1024 * 1024;
const workSeconds = 15;

// Decoders are refused as a whole and allowed one by one: no SVG, PDF, TIFF, no file by its name.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadHeifBuffer',
    'VipsForeignLoadNsgifBuffer',
  ],
});
sharp.concurrency(1);
sharp.cache(false);

/** What the first bytes say an image is; undefined for whatever is not allowed. Pure. */
export function sniffImage(bytes: Uint8Array): ImageFacts['format'] | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 32)).toString(
    'latin1',
  );
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'webp';
  if (text.slice(4, 8) === 'ftyp' && /avif|avis/.test(text.slice(8, 32))) return 'avif';
  return undefined;
}

/** Checks an image with limits and describes it: decoded once whole, in a small size. */
export async function inspectImage(bytes: Uint8Array): Promise<ImageFacts> {
  const { format, metadata } = await check(bytes);
  const small = await decode(() =>
    open(bytes)
      .autoOrient()
      .resize(32, 32, { fit: 'inside', kernel: 'cubic' })
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true }),
  );
  const { width, height } = oriented(metadata);
  return {
    format,
    width,
    height,
    blurhash: encode(new Uint8ClampedArray(small.data), small.info.width, small.info.height, 4, 3),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

/** Resizes (never enlarges) and encodes, without the source's metadata. */
export async function resizeImage(bytes: Uint8Array, target: ImageTarget): Promise<Uint8Array> {
  await check(bytes);
  const width = Math.max(1, Math.min(target.width, sidePixelsMax));
  const resized = open(bytes)
    .autoOrient()
    .resize({ width, height: sidePixelsMax, fit: 'inside', withoutEnlargement: true });
  return decode(() => encodeAs(resized, target.format).toBuffer());
}

function encodeAs(image: Sharp, format: ImageTarget['format']): Sharp {
  switch (format) {
    case 'webp':
      return image.webp({ quality: 80, effort: 2 });
    case 'avif':
      return image.avif({ quality: 55, effort: 0 });
    case 'jpeg':
      return image.flatten({ background: '#000' }).jpeg({ quality: 82, progressive: true });
  }
}

async function check(
  bytes: Uint8Array,
): Promise<{ format: ImageFacts['format']; metadata: Metadata }> {
  if (bytes.length > bytesMax) throw new MediaError('too-large', `more than ${bytesMax} bytes`);
  const format = sniffImage(bytes);
  if (format === undefined) {
    throw new MediaError('unreadable', 'not a JPEG, PNG, WebP, AVIF or GIF image');
  }
  const metadata = await decode(() => open(bytes, { limitInputPixels: false }).metadata());
  const { width, height } = metadata;
  if (width * height > pixelsMax || Math.max(width, height) > 65_535) {
    throw new MediaError('too-large', `${width} × ${height} pixels; ${pixelsMax} are allowed`);
  }
  return { format, metadata };
}

function open(bytes: Uint8Array, options: { limitInputPixels?: number | false } = {}): Sharp {
  return sharp(bytes, {
    limitInputPixels: pixelsMax,
    failOn: 'error',
    sequentialRead: true,
    pages: 1,
    ...options,
  }).timeout({ seconds: workSeconds });
}

async function decode<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const why = error instanceof Error ? (error.message.trim().split('\n')[0] ?? '') : '';
    const code = /pixel limit/i.test(why) ? 'too-large' : 'unreadable';
    throw new MediaError(code, `the image cannot be decoded: ${why}`.slice(0, 300), error);
  }
}

function oriented({ width, height, orientation = 1 }: Metadata): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}
