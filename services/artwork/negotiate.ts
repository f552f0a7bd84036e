import type { ImageTarget } from '#storage/media/media.ts';
import type { ImageType } from './names.ts';

type Format = ImageTarget['format'];

/** Widths pictures are made in: few, so that nobody fills the disk by asking for all. */
export const widths = [96, 160, 240, 320, 480, 640, 960, 1280, 1920, 2560, 3840] as const;

const widthDefault = 1_280;

/** The width to make for one asked for: the next larger step, no more than the picture needs. Pure. */
export function snapWidth(asked: number | undefined, ownWidth: number): number {
  const wanted = Math.min(asked ?? widthDefault, ownWidth);
  return widths.find((width) => width >= wanted) ?? widths[widths.length - 1] ?? wanted;
}

/**
 * The format for an `Accept` header (RFC 9110 §12.5.1): WebP where it is named, AVIF where only
 * that is, JPEG for whoever takes anything; but what may be transparent stays so. Undefined when
 * none of them is acceptable. Pure.
 */
export function chooseFormat(accept: string | undefined, type: ImageType): Format | undefined {
  const isPlain = type !== 'logo' && type !== 'disc';
  const usual: Format = isPlain ? 'jpeg' : 'webp';
  if (accept === undefined || accept.trim() === '') return usual;
  const quality = readAccept(accept);
  const named = (format: Format) => quality.get(`image/${format}`);
  const any = quality.get('image/*') ?? quality.get('*/*') ?? 0;
  if ((named('webp') ?? 0) > 0) return 'webp';
  if ((named('avif') ?? 0) > 0) return 'avif';
  const order: Format[] = isPlain ? ['jpeg', 'webp', 'avif'] : ['webp', 'avif', 'jpeg'];
  return order.find((format) => (named(format) ?? any) > 0);
}

function readAccept(accept: string): Map<string, number> {
  const quality = new Map<string, number>();
  for (const part of accept.split(',').slice(0, 32)) {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const given = parameters.find((text) => text.startsWith('q='));
    const value = given === undefined ? 1 : Number(given.slice(2));
    if (type !== '') quality.set(type, Number.isFinite(value) ? value : 1);
  }
  return quality;
}
