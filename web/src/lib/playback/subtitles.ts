/** Subtitle files a browser can be given, once they are WebVTT. */
export const readableFormats: ReadonlySet<string> = new Set(['srt', 'vtt']);

const time = /(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})/;
const line = new RegExp(`^\\s*${time.source}\\s*-->\\s*${time.source}(.*)$`);

/** SubRip as WebVTT (W3C): what is not a cue is left out, markup other than b, i, u is taken off. */
export function toWebVtt(text: string): string {
  const clean = text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\n');
  if (clean.startsWith('WEBVTT')) return clean;
  const cues: string[] = [];
  for (const block of clean.split(/\n{2,}/)) {
    const lines = block.split('\n');
    const at = lines.findIndex((one) => line.test(one));
    const found = line.exec(lines[at] ?? '');
    if (!found) continue;
    const [, h1, m1, s1, ms1, h2, m2, s2, ms2] = found;
    const words = lines
      .slice(at + 1)
      .map(tidy)
      .filter((one) => one.trim() !== '');
    if (words.length === 0) continue;
    cues.push(`${stamp(h1, m1, s1, ms1)} --> ${stamp(h2, m2, s2, ms2)}\n${words.join('\n')}`);
  }
  return `WEBVTT\n\n${cues.join('\n\n')}\n`;
}

function stamp(...[h = '0', m = '0', s = '0', ms = '0']: (string | undefined)[]): string {
  return `${h.padStart(2, '0')}:${m.padStart(2, '0')}:${s}.${ms.padEnd(3, '0')}`;
}

const kept = /&lt;(\/?[biu])&gt;/g;

/** Only plain emphasis survives; `-->` in a text would begin another cue. */
const tidy = (text: string): string =>
  text
    .replace(/\{\\[^}]*\}/g, '')
    .replace(/<\/?(?![biu]>)[a-z][^>]*>/gi, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(kept, '<$1>');

/** The bytes of a subtitle file as text: UTF-8 unless it is not, then what Windows wrote. */
export function decode(bytes: ArrayBuffer): string {
  const start = new Uint8Array(bytes.slice(0, 2));
  if (start[0] === 0xff && start[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
