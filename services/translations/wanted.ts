/** Which languages a viewer wants, the dearest first. */
import type { Principal } from '../principal.ts';

const languagesMax = 5;
const headerMax = 500;

/** Who asks, and how. */
export interface Asked {
  readonly principal: Pick<Principal, 'language'> | undefined;
  readonly request: { readonly headers: Readonly<Record<string, string | undefined>> };
}

/** The language of the viewer's account; where none is set, those that the request accepts. Pure. */
export function wantedLanguages({ principal, request }: Asked): string[] {
  const { language } = principal ?? {};
  return language === undefined
    ? acceptedLanguages(request.headers['accept-language'])
    : [language];
}

/** What an `Accept-Language` header accepts (RFC 9110 §12.5.4), the dearest first; at most 5. Pure. */
export function acceptedLanguages(header: string | undefined): string[] {
  const parts = (header ?? '').slice(0, headerMax).split(',');
  const weighed = parts.flatMap((part) => {
    const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const quality = parameters.find((piece) => /^q=/i.test(piece))?.slice(2) ?? '1';
    const language = canonical(tag);
    const weight = /^(?:1(?:\.0{0,3})?|0(?:\.\d{0,3})?)$/.test(quality) ? Number(quality) : 0;
    return language === undefined || weight === 0 ? [] : [{ language, weight }];
  });
  const sorted = weighed.toSorted((a, b) => b.weight - a.weight);
  return [...new Set(sorted.map(({ language }) => language))].slice(0, languagesMax);
}

/** A tag of language and region as it is written; undefined: it is none (`*`). Pure. */
export function canonical(tag: string): string | undefined {
  if (!/^[a-z]{2,3}(?:-[a-z0-9]{1,8})*$/i.test(tag)) return undefined;
  try {
    const { language, region } = new Intl.Locale(tag);
    return region === undefined ? language : `${language}-${region}`;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
