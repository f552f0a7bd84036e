/** A process that lists two folders below argv[2] as the media process does, and says what it sees. */
import { openRoot } from '#storage/media/confine.ts';
import { listDirectory } from '#storage/media/files.ts';
import { MediaError } from '#storage/media/media.ts';

const root = await openRoot(process.argv[2] ?? '');
const bounds = { signal: new AbortController().signal, atOnce: 1 };

async function see(path: string): Promise<string> {
  try {
    const { entries } = await listDirectory(root, path, bounds);
    return entries.map(({ name }) => name).join();
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

process.stdout.write(JSON.stringify({ shut: await see('shut'), open: await see('open') }));
