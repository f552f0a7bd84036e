import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** What an image's address is made of. */
export interface Addressed {
  readonly id: string;
  readonly sha256: string;
}

/** A picture as lists and pages show it. */
export interface ShownImage {
  /** Relative to the server; `?width=` may be added. */
  readonly url: string;
  readonly blurhash: string;
  readonly width: number;
  readonly height: number;
}

/** From a stored picture to what is shown of it. */
export type Show = (image: Addressed & Omit<ShownImage, 'url'>) => ShownImage;

/** Makes and checks the keys in addresses of images. */
export interface ImageAddresses {
  /** The path; `?width=` may follow. It never changes for the same picture, and nobody guesses it. */
  readonly url: (image: Addressed) => string;
  readonly isKey: (image: Addressed, key: string) => boolean;
}

const keyBytes = 16;

/**
 * `<img>` cannot send headers, so the address itself is the right to see the picture: 128 bits of
 * HMAC-SHA-256 over its id and content, under a key derived from the cluster's (RFC 5869).
 */
export function createImageAddresses(signingKey: Uint8Array): ImageAddresses {
  const secret = new Uint8Array(hkdfSync('sha256', signingKey, '', 'image address', 32));
  const mac = ({ id, sha256 }: Addressed): Buffer =>
    createHmac('sha256', secret).update(`${id}:${sha256}`).digest().subarray(0, keyBytes);
  return {
    url: (image) => `/api/v1/images/${image.id}/${mac(image).toString('base64url')}`,
    isKey(image, key) {
      const given = Buffer.from(key, 'base64url');
      return given.length === keyBytes && timingSafeEqual(given, mac(image));
    },
  };
}
