/**
 * Checks an image as a container of it runs, with everything taken away that it should not need:
 *
 *     node test/deploy/image.ts --engine podman --image revenge --media FOLDER
 *
 * FOLDER holds at least one film. It needs an engine that speaks like docker, and no network.
 */
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: given } = parseArgs({
  options: {
    engine: { type: 'string', default: 'docker' },
    image: { type: 'string', default: 'revenge' },
    media: { type: 'string' },
  },
});
if (given.media === undefined) throw new Error('say where films are: --media FOLDER');
const media = resolve(given.media);

const name = `revenge-check-${process.pid}`;
const volume = `${name}-data`;
const startMs = 60_000;
const stopMs = 30_000;

type Ended = { code: number | null; out: string; ms: number };

/** Runs the engine to its end; `input` is a file for its standard input. */
function engine(args: readonly string[], input?: string | Buffer): Promise<Ended> {
  const since = performance.now();
  const child = spawn(given.engine, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
  if (typeof input === 'string') createReadStream(input).pipe(child.stdin);
  else child.stdin.end(input);
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ code, out, ms: performance.now() - since }));
  });
}

let faults = 0;

function check(what: string, isTrue: boolean, detail: string | number): void {
  if (!isTrue) faults++;
  process.stdout.write(`${isTrue ? 'ok  ' : 'FAIL'}  ${what}: ${detail}\n`);
}

const limits = [
  ...['--network', 'none', '--read-only', '--cap-drop', 'ALL', '--user', '1000:1000'],
  ...['--security-opt', 'no-new-privileges', '--tmpfs', '/tmp:rw,noexec,nosuid,size=64m'],
  ...['--memory', '1g', '--pids-limit', '512'],
];
const start = (as: string) =>
  engine([
    ...['run', '-d', '--name', as, ...limits, '-v', `${volume}:/data`],
    ...['-v', `${media}:/media:ro`, given.image],
  ]);
const inside = (...command: string[]) => engine(['exec', name, ...command]);
const say = async (script: string) => (await inside('node', '-p', script)).out.trim();
const isHealthy = async (path: string) =>
  (await inside('node', '/app/deploy/healthcheck.js', path)).code === 0;

/** Milliseconds until the node takes requests, or undefined when it does not in time. */
async function ready(): Promise<number | undefined> {
  const since = performance.now();
  while (performance.now() - since < startMs) {
    if (await isHealthy('/health/ready')) return performance.now() - since;
    const { out } = await engine(['inspect', '-f', '{{.State.Running}}', name]);
    if (out.trim() !== 'true') return undefined;
    await pause(100);
  }
  return undefined;
}

async function startAndWait(what: string): Promise<void> {
  const { code, out } = await start(name);
  if (code !== 0) throw new Error(`the container does not start: ${out}`);
  const ms = await ready();
  if (ms === undefined) throw new Error(`${what}: does not take requests`);
  check(`${what}: takes requests`, true, `after ${Math.round(ms)} ms`);
}

async function stopAndRemove(): Promise<void> {
  const { ms } = await engine(['stop', '-t', '45', name]);
  const { out } = await engine(['inspect', '-f', '{{.State.ExitCode}}', name]);
  check('SIGTERM: exit code', out.trim() === '0', out.trim());
  check('SIGTERM: within 30 s', ms < stopMs, `${Math.round(ms)} ms`);
  await engine(['rm', name]);
}

const identity = async () =>
  JSON.parse(await say("fs.readFileSync('/data/cluster/identity.json', 'utf8')")) as {
    nodeId: string;
    bootEpoch: number;
  };

/** What the kernel says of every process in the container. */
const processes = `JSON.stringify(fs.readdirSync('/proc').filter((d) => /^[0-9]+$/.test(d))
  .flatMap((pid) => { try { return [fs.readFileSync('/proc/' + pid + '/status', 'utf8')] }
    catch { return [] } })
  .map((text) => Object.fromEntries(text.split('\\n').map((line) => line.split(':\\t')))))`;

async function checkConfinement(): Promise<void> {
  const all = JSON.parse(await say(processes)) as Record<string, string>[];
  const each = (key: string) => [...new Set(all.map((one) => one[key]))].join(' | ');
  check('every process is uid 1000', /^1000\t1000\t1000\t1000$/.test(each('Uid')), each('Uid'));
  check('no process has a capability', each('CapEff') === '0000000000000000', each('CapEff'));
  check('none can gain any', each('NoNewPrivs') === '1', `NoNewPrivs ${each('NoNewPrivs')}`);
  check('seccomp filters', each('Seccomp') === '2', `Seccomp ${each('Seccomp')}`);
  for (const path of ['/x', '/app/x', '/etc/x', '/media/x']) {
    const said = await say(
      `(() => { try { fs.writeFileSync('${path}', ''); return 'written' }
        catch (error) { return error.code } })()`,
    );
    check(`${path} cannot be written`, said === 'EROFS' || said === 'EACCES', said);
  }
}

/** The media process and what it started are killed: process 1 has to collect them. */
async function checkOrphans(): Promise<void> {
  await inside(
    ...['node', '-e'],
    `const kill = () => { const { spawn } = require('child_process');
      spawn('sleep', ['0.2'], { detached: true, stdio: 'ignore' }).unref(); }; kill(); kill();`,
  );
  await pause(1_000);
  const all = JSON.parse(await say(processes)) as Record<string, string>[];
  const dead = all.filter(({ State }) => State?.startsWith('Z')).length;
  check('process 1 collects orphans', dead === 0, `${dead} zombies of ${all.length}`);
}

async function checkPlayback(what: string): Promise<string> {
  const found = await readdir(media, { recursive: true });
  const film = found.find((path) => /\.(mkv|mp4)$/.test(path)) ?? '';
  const script = fileURLToPath(new URL('./inside.ts', import.meta.url));
  const flags = ['--input-type=module-typescript', '-', join('/media', film)];
  const { out } = await engine(['exec', '-i', name, 'node', ...flags], script);
  const [line = ''] = out.split('\n').filter((text) => text.startsWith('{'));
  if (line === '') throw new Error(out);
  const seen = JSON.parse(line) as { status: number; isSame: boolean; nodeId: string };
  check(`${what}: a film plays by range`, seen.status === 206 && seen.isSame, line);
  return seen.nodeId;
}

async function checkSecond(): Promise<void> {
  const other = `${name}-2`;
  await start(other);
  const { out } = await engine(['wait', other]);
  const said = (await engine(['logs', other])).out.trim().split('\n').at(-1) ?? '';
  check('a second node on the same volume is refused', out.trim() !== '0', said.slice(0, 200));
  await engine(['rm', '-f', other]);
  check('and the first one goes on', await isHealthy('/health/ready'), 'ready');
}

async function all(): Promise<void> {
  await startAndWait('first start');
  await checkConfinement();
  const setup = ['exec', '-i', name, 'revenge', 'setup', '--username', 'admin'];
  const made = await engine(
    [...setup, '--password-file', '-'],
    Buffer.from('correct horse battery staple\n'),
  );
  check('an administrator is made', made.code === 0, made.out.trim().slice(0, 200));
  const nodeId = await checkPlayback('first start');
  await checkOrphans();
  await checkSecond();
  const swarm = await inside('node', '/app/deploy/healthcheck.js');
  check('the health check passes', swarm.code === 0, swarm.out.trim());
  const before = await identity();
  await stopAndRemove();

  await startAndWait('a new container, same volume');
  const after = await identity();
  const isSame = after.nodeId === before.nodeId && after.bootEpoch === before.bootEpoch + 1;
  check('it is the same node', isSame, `${after.nodeId}, start ${after.bootEpoch}`);
  check('and has its films', (await checkPlayback('second start')) === nodeId, nodeId);

  await engine(['kill', '-s', 'KILL', name]);
  await engine(['rm', '-f', name]);
  await startAndWait('after kill -9, a new container');
  check('it is the same node', (await identity()).nodeId === nodeId, nodeId);
  await checkPlayback('third start');
  await stopAndRemove();
}

try {
  await all();
} catch (error) {
  faults++;
  process.stdout.write(`FAIL  ${error instanceof Error ? error.message : String(error)}\n`);
  process.stdout.write((await engine(['logs', name])).out.split('\n').slice(-20).join('\n'));
} finally {
  await engine(['rm', '-f', name]);
  await engine(['volume', 'rm', volume]);
}
process.exitCode = faults === 0 ? 0 : 1;
