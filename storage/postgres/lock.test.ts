import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDirectory } from './lock.ts';
import { pidNamespace, startTime } from './process.ts';

describe('directory lock', () => {
  let dir: string;
  const file = () => join(dir, 'revenge.lock');
  const holder = async (fields: object) =>
    writeFile(
      file(),
      JSON.stringify({
        id: 'x',
        pid: process.pid,
        started: await startTime(process.pid),
        namespace: await pidNamespace(),
        host: hostname(),
        ...fields,
      }),
    );
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-test-lock-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('is held by one, names the holder, and can be taken after release', async () => {
    const first = await lockDirectory(dir);
    const error = await lockDirectory(dir).then(undefined, (caught: Error) => caught);
    expect(error).to.have.property('message').that.includes(`pid ${process.pid} on`);
    expect((error as Error).message).not.to.include('\n');
    await first.release();
    await (await lockDirectory(dir)).release();
  });

  it('goes to exactly one of many who want it at once', async () => {
    await holder({ started: '1' });
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(dir)));
    const won = all.filter((result) => result.status === 'fulfilled');
    expect(won).to.have.length(1);
    await won[0]!.value.release();
  });

  it('is taken over from a process that is gone, and from a pid that is another one now', async () => {
    const child = spawn('true');
    await new Promise((resolve) => child.once('exit', resolve));
    await holder({ pid: child.pid });
    await (await lockDirectory(dir)).release();
    await holder({ started: '1' });
    await (await lockDirectory(dir)).release();
    await writeFile(file(), 'torn');
    await (await lockDirectory(dir)).release();
  });

  it('believes a holder in another container as long as it beats', async () => {
    await holder({ namespace: 'pid:[1]', host: 'other' });
    const error = await lockDirectory(dir).then(undefined, (caught: Error) => caught);
    expect(error).to.have.property('message').that.includes('other');
    const past = new Date(Date.now() - 60_000);
    await utimes(file(), past, past);
    await (await lockDirectory(dir)).release();
  });

  it('leaves a lock alone that has become another one’s', async () => {
    const first = await lockDirectory(dir);
    await holder({ id: 'other' });
    await first.release();
    expect(await readFile(file(), 'utf8')).to.include('"other"');
  });
});
