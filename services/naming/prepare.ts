import { readableName } from '#storage/media/path.ts';
import { takeIds, type ProviderIds } from './ids.ts';

/** Names longer than any file system's are cut: so no name takes longer than its length allows. */
export const longestName = 512;

const domains =
  'com|org|net|info|biz|to|tv|me|io|ru|de|fr|it|es|pl|nl|eu|be|ca|in|cc|ws|la|is|se|fi|vc|tc|pw|club|site|xyz|app|ai|(?:co|com|net|org)\\.[a-z]{2}';
const host = `(?:www\\.[a-z0-9.-]{2,40}|(?:[a-z0-9-]{2,30}\\.){1,2}(?:${domains}))`;
const leadingSite = new RegExp(
  `^[\\s.]*(?:from )?(?:[[({【][\\s.]*(${host})[\\s.]*[\\])}】]|(${host})(?=\\s))[\\s._-]*`,
  'i',
);
const trailingSite = new RegExp(`[[(]\\s*(${host})\\s*[\\])]`, 'i');
const plainSite = /(?:^|[\s_-])(www\.[a-z0-9-]+\.[a-z]{2,4})(?=$|[\s_\])])/i;

/** A name ready to be read, and what has been taken out of it. */
export interface Prepared {
  readonly text: string;
  readonly ids: ProviderIds;
  readonly website: string | undefined;
}

/** Makes a name readable text and takes out ids and addresses of web sites. */
export function prepareName(name: string): Prepared {
  let whole = name.length > longestName ? name.slice(0, longestName) : name;
  if (/[^\u0020-\u007e]/.test(whole)) {
    whole = readableName(whole)
      .replace(/\p{Cc}+/gu, ' ')
      .normalize('NFC');
  }
  const { text, ids } = takeIds(whole);
  return site(text.includes(' / ') ? text.replace(repeatedMark, ' ') : text, ids);
}

/** Of names in two alphabets ("А (S2E1) / B (S2E1)") the first mark. */
const repeatedMark = /\s*\((?:s\d+e\d+[^()]*|season \d[^()]*|сезон[^()]*)\)\s*(?=\/ )/i;

function site(text: string, ids: ProviderIds): Prepared {
  if (!text.includes('.')) return { text, ids, website: undefined };
  return { ...takeSite(text), ids };
}

function takeSite(text: string): { text: string; website: string | undefined } {
  const lead = leadingSite.exec(text);
  const site = lead?.[1] ?? lead?.[2];
  if (lead !== null && site !== undefined && text.length > lead[0].length) {
    return { text: text.slice(lead[0].length), website: site.replace(/\.$/, '') };
  }
  const trail = trailingSite.exec(text) ?? plainSite.exec(text);
  if (trail?.[1] === undefined || trail.index === 0) return { text, website: undefined };
  const without = `${text.slice(0, trail.index)} ${text.slice(trail.index + trail[0].length)}`;
  return { text: without.trimEnd(), website: trail[1] };
}
