import { decode } from 'blurhash';

const width = 12;
const height = 16;
const most = 600;
const made = new Map<string, string>();

/** A blurhash as a tiny picture to stretch behind the real one; empty for what is none. */
export function blurUrl(hash: string): string {
  const known = made.get(hash);
  if (known !== undefined) return known;
  const url = draw(hash);
  if (made.size >= most) made.delete(made.keys().next().value ?? '');
  made.set(hash, url);
  return url;
}

function draw(hash: string): string {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return '';
  try {
    const pixels = context.createImageData(width, height);
    pixels.data.set(decode(hash, width, height));
    context.putImageData(pixels, 0, 0);
    return canvas.toDataURL();
  } catch {
    return ''; // not a blurhash: the picture comes without one
  }
}
