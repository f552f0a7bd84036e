import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { announce, findRunning, localUrl, withdraw } from './rundir.ts';

describe('where the command line finds a node', () => {
  const cases: [host: string, url: string][] = [
    ['0.0.0.0', 'http://127.0.0.1:8080'],
    ['::', 'http://127.0.0.1:8080'],
    ['127.0.0.1', 'http://127.0.0.1:8080'],
    ['192.168.1.5', 'http://192.168.1.5:8080'],
    ['fd00::5', 'http://[fd00::5]:8080'],
    ['box.lan', 'http://box.lan:8080'],
  ];
  for (const [host, url] of cases) {
    it(`of one that listens on ${host}`, () => expect(localUrl(host, 8080)).to.equal(url));
  }
});

describe('the node that runs on a data folder', () => {
  let dir: string;
  const file = () => join(dir, 'run', 'node.json');
  const running = { pid: process.pid, url: 'http://127.0.0.1:8080', token: 'x' };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-rundir-'));
    await announce(dir, running);
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is found until it says that it ends', async () => {
    expect(await findRunning(dir)).to.include(running);
    await withdraw(dir);
    expect(await findRunning(dir)).to.equal(undefined);
  });

  for (const length of [0, 5]) {
    it(`is none where a power cut has left ${length} bytes of its word`, async () => {
      await truncate(file(), length);
      expect(await findRunning(dir)).to.equal(undefined);
    });
  }

  it('is not guessed at: what is whole and strange is an error', async () => {
    await writeFile(file(), '{"pid":"x"}');
    expect(await findRunning(dir).catch((error: Error) => error)).to.be.instanceOf(Error);
  });
});
