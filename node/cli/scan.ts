import { setTimeout as pause } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import type { components } from '#api/types.ts';
import type { Client } from './client.ts';
import { CommandError } from './exit.ts';
import { findLibrary } from './library.ts';
import { open, readAll } from './open.ts';
import type { Output } from './output.ts';
import { table } from './output.ts';

type Scan = components['schemas']['LibraryScan'];

const hasEnded = ({ state }: Scan) => state !== 'queued' && state !== 'running';

function describe({ state, counters, error }: Scan): string {
  const { filesNew, filesChanged, filesMoved, filesMissing, itemsAdded } = counters;
  const words = [
    `${state}: ${counters.directories} directories (${counters.directoriesRead} read)`,
    `${filesNew} files new, ${filesChanged} changed, ${filesMoved} moved, ${filesMissing} missing`,
    `${itemsAdded} items added`,
  ];
  return [words.join('; '), ...(error === undefined ? [] : [error])].join('\n');
}

/** Follows a scan until it has ended, with a bar on a terminal; resolves to its last state. */
async function follow(client: Client, first: Scan, output: Output): Promise<Scan> {
  const isLive = process.stderr.isTTY && !output.isJson;
  const bar = new SingleBar({
    format: '{phase} [{bar}] {value} directories, {files} files, {items} items added',
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  let scan = first;
  if (isLive) bar.start(1, 0, { phase: scan.phase, files: 0, items: 0 });
  try {
    while (!hasEnded(scan)) {
      await pause(500);
      scan = await client.request<Scan>('GET', `/api/v1/scans/${first.id}`);
      const { directories, files, itemsAdded } = scan.counters;
      // How many there are is known only at the end of the walk: the bar keeps a little ahead.
      bar.setTotal(Math.max(directories + 1, 1));
      if (isLive) bar.update(directories, { phase: scan.phase, files, items: itemsAdded });
    }
  } finally {
    bar.stop();
  }
  return scan;
}

/** `revenge scan start | list | cancel`. */
export function addScan(program: Command): void {
  const scan = program.command('scan').description('look for new, changed and missing files');
  scan
    .command('start <library>', { isDefault: true })
    .description('scan a library and wait for the end')
    .option('--full', 'read every directory, not only those that changed')
    .option('--no-wait', 'return at once')
    .action(async (name: string, options: { full?: boolean; wait: boolean }, command: Command) => {
      const { client, output } = await open(command);
      const { id } = await findLibrary(client, name);
      const mode = options.full ? 'full' : 'quick';
      const path = `/api/v1/libraries/${id}/scans`;
      const started = await client.request<Scan>('POST', path, { mode });
      const ended = options.wait ? await follow(client, started, output) : started;
      output.result(ended, () => describe(ended));
      if (ended.state === 'failed') throw new CommandError('the scan failed');
    });
  scan
    .command('list <library>')
    .description('scans so far, the latest first')
    .action(async (name: string, _options, command: Command) => {
      const { client, output } = await open(command);
      const { id } = await findLibrary(client, name);
      const items = await readAll<Scan>(client, `/api/v1/libraries/${id}/scans`);
      output.result({ items }, () =>
        table(
          ['CREATED', 'MODE', 'STATE', 'PHASE', 'NEW', 'MOVED', 'MISSING', 'ID'],
          items.map(({ createdAt, mode, state, phase, counters, id: scanId }) => [
            ...[createdAt, mode, state, phase],
            ...[counters.filesNew, counters.filesMoved, counters.filesMissing, scanId],
          ]),
        ),
      );
    });
  scan
    .command('cancel <scan>')
    .description('end a scan early; what it has found stays')
    .action(async (scanId: string, _options, command: Command) => {
      const { client, output } = await open(command);
      const path = `/api/v1/scans/${encodeURIComponent(scanId)}/cancel`;
      const ended = await client.request<Scan>('POST', path);
      output.result(ended, () => describe(ended));
    });
}
