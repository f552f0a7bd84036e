import { api, read, sendSigned } from '../api';
import { languageName } from '../format';
import type { Movie } from '../types';
import { ownFirst } from './choose';
import { decode, readableFormats, toWebVtt } from './subtitles';

/** Subtitles that can be shown with a film. */
export interface Track {
  readonly fileId: string;
  readonly label: string;
  readonly language: string | undefined;
}

type Subtitles = Pick<Movie, 'subtitles'>;

/** Those beside a video that a browser can be given; first what who watches would choose. */
export function tracksOf(
  { subtitles }: Subtitles,
  fileId: string,
  language: string,
): readonly Track[] {
  return ownFirst(subtitles, language)
    .filter(({ format, forFileId }) => {
      return readableFormats.has(format) && (forFileId === undefined || forFileId === fileId);
    })
    .map((subtitle) => ({
      fileId: subtitle.fileId,
      language: subtitle.language,
      label: [
        subtitle.language ? languageName(subtitle.language, language) : subtitle.name,
        subtitle.title,
        subtitle.isForced && 'forced',
        subtitle.isHearingImpaired && 'SDH',
      ]
        .filter(Boolean)
        .join(' · '),
    }));
}

/** Subtitles as WebVTT at an address of this page; to be revoked when they are no longer shown. */
export async function loadTrack({ fileId }: Track): Promise<string> {
  const params = { path: { fileId } };
  const { url } = await read(api.POST('/api/v1/playback/files/{fileId}/address', { params }));
  const ask = { method: 'GET', path: url, headers: new Headers(), body: undefined };
  const answer = await sendSigned(ask);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const vtt = toWebVtt(decode(await answer.arrayBuffer()));
  return URL.createObjectURL(new Blob([vtt], { type: 'text/vtt' }));
}
