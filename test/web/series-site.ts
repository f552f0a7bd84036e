import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFiles } from '../server.ts';
import { makeVideo, writePoster, writeStill } from './site.ts';

/** Names as no series should have, and some have. */
export const markup = '<img src=x onerror=alert(1)> "&" <b>Bold</b>';
export const rtl = 'שלום עולם';
export const long = `Long ${'Wörter✨'.repeat(62)}`;

const nfo = (title: string, more = '') =>
  `<tvshow><title><![CDATA[${title}]]></title>${more}</tvshow>`;

/** A household's series: one as it should be, and others as they come. */
export async function makeSeries(dir: string): Promise<void> {
  const line = join(dir, 'Northern Line (2018)');
  const first = join(line, 'Season 1/Northern Line - S01E01 - Departure.mp4');
  await makeVideo(first, { seconds: 12 });
  for (const name of [
    'Season 1/Northern Line - S01E02 - Signals.mp4',
    'Season 1/Northern Line - S01E04 - Terminus.mp4',
    'Season 2/Northern Line - S02E01 - Another Way.mp4',
    'Specials/Northern Line - S00E01 - Behind the Line.mp4',
    'trailers/Northern Line.mp4',
  ]) {
    await writeFiles(line, { [name]: '' });
    await copyFile(first, join(line, name));
  }
  const texts = '<plot>A line, and who rides it.</plot><genre>Drama</genre><genre>Mystery</genre>';
  await writeFiles(dir, {
    'Northern Line (2018)/tvshow.nfo': nfo('Northern Line', texts),
    'Odd/tvshow.nfo': nfo(markup, '<genre>Comedy</genre>'),
    'Rtl/tvshow.nfo': nfo(rtl),
    'Long/tvshow.nfo': nfo(long),
    'Bare/tvshow.nfo': nfo('Bare'),
  });
  for (const name of ['Odd', 'Rtl', 'Long']) {
    await writeFiles(dir, { [`${name}/Season 1/${name} S01E01.mp4`]: '' });
    await copyFile(first, join(dir, name, `Season 1/${name} S01E01.mp4`));
  }
  await writePoster(line, 'Northern Line');
  await writePoster(join(line, 'Season 1'), 'One');
  await writeStill(first.replace('.mp4', '.jpg'));
  await writeStill(first.replace('.mp4', '-thumb.jpg'));
}
