import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** The content codings we answer in, best first. */
export type Coding = 'br' | 'gzip';

const codings: readonly Coding[] = ['br', 'gzip'];

/** The best coding a client takes (RFC 9110 §12.5.3), or undefined for none. */
export function chooseCoding(accept: string | undefined): Coding | undefined {
  if (!accept) return undefined;
  if (accept.length > 500) return undefined;
  const qualities = new Map<string, number>();
  for (const part of accept.split(',')) {
    const [name = '', ...parameters] = part.trim().toLowerCase().split(';');
    const q = parameters
      .map((parameter) => /^\s*q=([\d.]+)\s*$/.exec(parameter)?.[1])
      .find(Boolean);
    qualities.set(name.trim(), q === undefined ? 1 : Number(q));
  }
  const quality = (coding: Coding) => qualities.get(coding) ?? qualities.get('*') ?? 0;
  const [best] = [...codings].sort((a, b) => quality(b) - quality(a));
  return best && quality(best) > 0 ? best : undefined;
}

const toGzip = promisify(gzip);
const toBrotli = promisify<Buffer, object, Buffer>(brotliCompress);

/** Compresses on libuv's pool. Levels are the fast ones: on JSON the slow ones gain little. */
export async function compress(bytes: Buffer, coding: Coding): Promise<Buffer> {
  switch (coding) {
    case 'gzip':
      return toGzip(bytes, { level: 4 });
    case 'br':
      return toBrotli(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: 4,
          [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      });
  }
}
