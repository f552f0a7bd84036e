import { hash } from 'node:crypto';
import { compress, type Coding } from './encoding.ts';

/** A JSON body as it is sent, with what can be derived from it. */
export interface Rendered {
  readonly text: string;
  readonly sizeBytes: number;
  /** A weak validator (RFC 9110 §8.8.3): the same for every coding. */
  etag(): string;
  coded(coding: Coding): Promise<Buffer>;
}

/** Turns bodies into bytes; for a frozen body only once, however often it is answered. */
export type Render = (body: object) => Rendered;

/**
 * A handler that answers out of a cache may freeze the body it keeps (`Object.freeze`): then its
 * bytes, its tag and its compressed forms live as long as the body itself, and no longer.
 */
export function createRender(): Render {
  const kept = new WeakMap<object, Rendered>();
  return (body) => {
    if (!Object.isFrozen(body)) return render(body);
    const known = kept.get(body);
    if (known) return known;
    const rendered = render(body);
    kept.set(body, rendered);
    return rendered;
  };
}

function render(body: object): Rendered {
  const text = JSON.stringify(body);
  let tag: string | undefined;
  const codings = new Map<Coding, Promise<Buffer>>();
  return {
    text, // not bytes: Node sends head and text in one write, head and bytes in two
    sizeBytes: Buffer.byteLength(text),
    etag: () => (tag ??= `W/"${hash('sha1', text, 'base64url')}"`),
    coded(coding) {
      let coded = codings.get(coding);
      if (!coded) codings.set(coding, (coded = compress(Buffer.from(text), coding)));
      return coded;
    },
  };
}

/** Whether `If-None-Match` names this tag (weak comparison, RFC 9110 §13.1.2). */
export function matchesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === opaque);
}
