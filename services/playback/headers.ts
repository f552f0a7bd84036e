import { displayName } from '#storage/media/path.ts';

const types: Readonly<Record<string, string>> = {
  '3gp': 'video/3gpp',
  aac: 'audio/aac',
  ac3: 'audio/ac3',
  ass: 'text/x-ssa; charset=utf-8',
  avi: 'video/x-msvideo',
  divx: 'video/x-msvideo',
  dts: 'audio/vnd.dts',
  eac3: 'audio/eac3',
  f4v: 'video/mp4',
  flac: 'audio/flac',
  flv: 'video/x-flv',
  m2ts: 'video/mp2t',
  m2v: 'video/mpeg',
  m4a: 'audio/mp4',
  m4v: 'video/mp4',
  mka: 'audio/x-matroska',
  mk3d: 'video/x-matroska-3d',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  mpeg: 'video/mpeg',
  mpg: 'video/mpeg',
  mts: 'video/mp2t',
  mxf: 'application/mxf',
  ogg: 'audio/ogg',
  ogm: 'video/ogg',
  ogv: 'video/ogg',
  opus: 'audio/ogg',
  rmvb: 'application/vnd.rn-realmedia-vbr',
  srt: 'application/x-subrip; charset=utf-8',
  ssa: 'text/x-ssa; charset=utf-8',
  sup: 'application/octet-stream',
  ts: 'video/mp2t',
  vob: 'video/mpeg',
  vtt: 'text/vtt; charset=utf-8',
  wav: 'audio/wav',
  webm: 'video/webm',
  wmv: 'video/x-ms-wmv',
};

const octets = 'application/octet-stream';

const byContainer: Readonly<Record<string, string>> = {
  matroska: 'video/x-matroska',
  mp4: 'video/mp4',
  mpegts: 'video/mp2t',
  avi: 'video/x-msvideo',
  mpeg: 'video/mpeg',
  asf: 'video/x-ms-wmv',
  flv: 'video/x-flv',
};

/**
 * The media type of a file by its name, else by the container it was found to be. Never a type that
 * a browser would run.
 */
export function contentType(name: string, container?: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  if (Object.hasOwn(types, extension)) return types[extension] ?? octets;
  const known = container !== undefined && Object.hasOwn(byContainer, container);
  return (known ? byContainer[container] : undefined) ?? octets;
}

/** `Content-Disposition` with a plain name for old clients and the real one (RFC 6266, RFC 8187). */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const shown = displayName(name);
  const plain = shown.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const exact = encodeURIComponent(shown).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${exact}`;
}

/** A strong tag: the same bytes unless someone sets times by hand on the same file. */
export function entityTag(facts: { sizeBytes: number; mtimeMs: number; inode: string }): string {
  const time = Math.round(facts.mtimeMs * 1_000).toString(36);
  return `"${facts.sizeBytes.toString(36)}-${time}-${BigInt(facts.inode).toString(36)}"`;
}
