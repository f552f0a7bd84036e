import { ApiError, sendSigned } from './api';
import type { ProblemBody } from './api/problem';
import { meaning } from './explain';
import { t } from './i18n.svelte';
import type { Pictured } from './queries';
import type { ArtworkImage, ArtworkType } from './types';

/** As the API says of a body. */
const bytesMax = 16 * 1024 * 1024;
/** What the server takes, as an input of files names it. */
export const pictureTypes = 'image/jpeg,image/png,image/webp,image/avif,image/gif';
/** A phone sends 50 kB/s; a node takes them as slowly as node/http/large-bodies.ts says. */
const patienceFor = ({ size }: File) => 60_000 + size / 16;

const refusals = {
  unprocessable: 'artwork.unfit',
  'unsupported-media-type': 'artwork.unfit',
  'too-large': 'artwork.tooLarge',
  conflict: 'artwork.most',
} as const;

/** Adds a picture to a work and has it shown. @throws Error that says why not */
export async function uploadPicture(
  { kind, id }: Pictured,
  type: ArtworkType,
  file: File,
): Promise<ArtworkImage> {
  if (!pictureTypes.split(',').includes(file.type)) throw new Error(t('artwork.unfit'));
  if (file.size > bytesMax) throw new Error(t('artwork.tooLarge'));
  return meaning(send(`/api/v1/items/${kind}/${id}/images?type=${type}`, file), refusals);
}

async function send(path: string, file: File): Promise<ArtworkImage> {
  const headers = new Headers({ 'Content-Type': file.type });
  const patienceMs = patienceFor(file);
  const answer = await sendSigned({ method: 'POST', path, headers, body: file, patienceMs });
  const body: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) throw new ApiError(answer.status, body as ProblemBody | undefined);
  return body as ArtworkImage;
}
