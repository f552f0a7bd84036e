import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

describe('gossip in a process of its own', function () {
  const run = promisify(execFile);
  const index = fileURLToPath(new URL('index.ts', import.meta.url));
  const child = async (code: string) =>
    (await run(process.execPath, ['--input-type=module', '-e', code], { timeout: 30_000 })).stdout;

  it('leaves nothing behind that keeps the process', async () => {
    const stdout = await child(`
      const { createGossip, makeGossipIdentity, gossipIdOf } = await import('${index}');
      const two = [];
      const absent = await gossipIdOf(await makeGossipIdentity());
      const members = () => [
        ...two.map(({ gossip, id }) =>
          ({ id, gossipId: gossip.gossipId, addresses: [gossip.address] })),
        // Not a socket, but a black hole: a dial is under way when all is closed.
        { id: 'absent', gossipId: absent, addresses: ['192.0.2.1:7002'] },
      ];
      for (const id of ['a', 'b']) {
        const gossip = await createGossip({
          key: new Uint8Array(32), identity: await makeGossipIdentity(), self: id, members,
          listen: { host: '127.0.0.1', port: 0 },
          log: { info() {}, warn() {} }, now: () => performance.now(), random: () => 0.5,
        });
        two.push({ id, gossip });
      }
      // And one that cannot begin: its port is taken.
      const late = await createGossip({
        key: new Uint8Array(32), identity: await makeGossipIdentity(), self: 'c', members,
        listen: { host: '127.0.0.1', port: Number(two[0].gossip.address.split(':')[1]) },
        log: { info() {}, warn() {} }, now: () => performance.now(), random: () => 0.5,
      });
      if (late.stats().isUsable) throw new Error('it began on a port that is taken');
      const heard = new Promise((then) => two[1].gossip.subscribe('invalidate', then));
      for (const { gossip } of two) gossip.refresh();
      const again = setInterval(() => two[0].gossip.publish('invalidate', Uint8Array.of(7)), 20);
      await heard;
      clearInterval(again);
      for (const { gossip } of two) await gossip.close();
      process.stdout.write('closed');
    `);
    expect(stdout).to.equal('closed');
  });

  it('loads no package of libp2p before gossip is made', async () => {
    const stdout = await child(`
      const { registerHooks } = await import('node:module');
      const asked = [];
      registerHooks({ resolve: (name, context, next) => (asked.push(name), next(name, context)) });
      await import('${index}');
      process.stdout.write(asked.filter((name) => !/^(node:|[.\\/#])/.test(name)).join());
    `);
    expect(stdout).to.equal('');
  });
});
