/** A process that lists two folders below argv[2] as the media process does, and says what it sees. */
import { openRoot } from '#storage/media/confine.ts';
import { patientDisk } from '#storage/media/disk.ts';
import { listDirectory } from '#storage/media/files.ts';
import { MediaError } from '#storage/media/media.ts';

const root = await openRoot(patientDisk, process.argv[2] ?? '');
const { signal } = new AbortController();

async function see(path: string): Promise<string> {
  try {
    const { entries } = await listDirectory(root, path, signal);
    return entries.map(({ name }) => name).join();
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

process.stdout.write(JSON.stringify({ shut: await see('shut'), open: await see('open') }));
