// A Raft peer as a program, for tests, benches and whoever wants to try it: see peer/options.ts for
// its flags and peer/control.ts for what it answers. Its only state is a list and a few keys.
import { createDriver } from './driver/driver.ts';
import { startEngineProcess } from './driver/host.ts';
import type { Link } from './driver/messages.ts';
import { openEngine } from './driver/open.ts';
import { createControl } from './peer/control.ts';
import { createLineLog } from './peer/log.ts';
import { createPeerMachine } from './peer/machine.ts';
import type { PeerOptions } from './peer/options.ts';
import { UsageError, readOptions, usage } from './peer/options.ts';
import { createWrites } from './peer/writes.ts';

async function main({ settings, control, isInline }: PeerOptions): Promise<void> {
  const log = createLineLog(settings.id);
  const engine = isInline ? await openEngine(settings, log) : undefined;
  const link: Link = engine ?? (await startEngineProcess(settings, log));
  const machine = createPeerMachine();
  const lossGraceMs = settings.profile.electionTimeoutMs * 2;
  const driver = createDriver({ link, machine, log, lossGraceMs });
  const server = createControl({ driver, machine, writes: createWrites(driver, machine) });
  await engine?.start();
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) => reject(new Error(`--control cannot be had: ${message}`)));
    server.listen(control.port, control.host, resolve);
  });
  log.info('listens', { raft: settings.address, control: `${control.host}:${control.port}` });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void driver.close());
  }
  const error = await driver.ended;
  server.closeAllConnections();
  server.close();
  if (!error) return;
  log.error('ends', { error: error.message });
  process.exitCode = 1;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options) await main(options);
  else process.stdout.write(usage);
} catch (error) {
  const isUsage = error instanceof UsageError;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`peer: ${message}\n${isUsage ? usage : ''}`);
  process.exit(isUsage ? 2 : 1);
}
