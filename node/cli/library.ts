import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { components } from '#api/types.ts';
import type { Client } from './client.ts';
import { CommandError } from './exit.ts';
import { open, readAll } from './open.ts';
import { bytes, table } from './output.ts';

type Library = components['schemas']['Library'];
type Problem = components['schemas']['LibraryProblem'];

/** The library a person means by a name or an id. */
export async function findLibrary(client: Client, nameOrId: string): Promise<Library> {
  const { items } = await client.request<{ items: Library[] }>('GET', '/api/v1/libraries');
  const wanted = nameOrId.toLowerCase();
  const found = items.find(({ id, name }) => id === wanted || name.toLowerCase() === wanted);
  if (found !== undefined) return found;
  const names = items.map(({ name }) => `"${name}"`).join(', ') || 'none';
  throw new CommandError(`no library is called "${nameOrId}"; there are: ${names}`);
}

const showLibraries = (libraries: readonly Library[]) =>
  table(
    ['NAME', 'KIND', 'FILES', 'SIZE', 'MISSING', 'LAST SCAN', 'FOLDERS', 'ID'],
    libraries.map(({ name, kind, numbers, lastScan, roots = [], id }) => [
      name,
      kind,
      numbers?.files ?? null,
      numbers === undefined ? null : bytes(numbers.sizeBytes),
      numbers?.missingFiles ?? null,
      lastScan === undefined ? null : `${lastScan.state} ${lastScan.finishedAt ?? ''}`.trim(),
      roots.map((root) => (root.isAvailable ? root.path : `${root.path} (away)`)).join(', '),
      id,
    ]),
  );

/** `revenge library list | create | problems | delete`. */
export function addLibrary(program: Command): void {
  const library = program.command('library').description('folders of media');
  library
    .command('list')
    .description('all libraries')
    .action(async (_options, command: Command) => {
      const { client, output } = await open(command);
      const { items } = await client.request<{ items: Library[] }>('GET', '/api/v1/libraries');
      const full = await Promise.all(
        items.map(({ id }) => client.request<Library>('GET', `/api/v1/libraries/${id}`)),
      );
      output.result({ items: full }, () => showLibraries(full));
    });
  library
    .command('create <name> <folder...>')
    .description('add a library and scan it')
    .option('--kind <kind>', 'what it holds', 'movie')
    .option('--language <tag>', 'language its texts are wanted in', 'en')
    .action(async (...given: [string, string[], CreateOptions, Command]) => {
      const [name, folders, options, command] = given;
      const { client, output } = await open(command);
      const paths = folders.map((folder) => resolve(folder));
      const created = await client.request<Library>('POST', '/api/v1/libraries', {
        ...{ name, paths, kind: options.kind, language: options.language },
      });
      output.result(created, () => showLibraries([created]));
    });
  library
    .command('problems <library>')
    .description('what could not be taken in, and why')
    .action(async (name: string, _options, command: Command) => {
      const { client, output } = await open(command);
      const { id } = await findLibrary(client, name);
      const items = await readAll<Problem>(client, `/api/v1/libraries/${id}/problems`);
      output.result({ items }, () =>
        table(
          ['WHAT', 'REASON', 'PATH'],
          items.map(({ type, reason, path }) => [type, reason, JSON.stringify(path).slice(1, -1)]),
        ),
      );
    });
  library
    .command('delete <library>')
    .description('take it out of the catalogue; media files are never touched')
    .requiredOption('--yes', "I know that everybody's watch state of it goes too")
    .action(async (name: string, _options, command: Command) => {
      const { client, output } = await open(command);
      const { id } = await findLibrary(client, name);
      await client.request('DELETE', `/api/v1/libraries/${id}`);
      output.result({ id }, () => `${name} is out of the catalogue`);
    });
}

interface CreateOptions {
  kind: string;
  language: string;
}
