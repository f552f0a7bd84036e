import { expect } from 'chai';
import type { LabNode } from '../lab/node.ts';
import { startPostgres } from '../lab/services.ts';
import { quiet } from '../log.ts';
import { gather, openHome, untilVoters, untilWritten, type Home } from './home.ts';

/** Prints figures, for whoever wants to know. */
const report = process.env['REVENGE_TEST_REPORT'] === '1';
const note = (line: string) => report && process.stdout.write(`      ${line}\n`);

type Env = Readonly<Record<string, string>>;

/** Three nodes, killed at once, come back on other addresses and ports: nobody helps them. */
describe('three nodes whose addresses all changed in a power cut', function () {
  this.timeout(400_000);
  let home: Home;
  const closers: (() => PromiseLike<unknown>)[] = [];
  beforeEach(async () => {
    home = await openHome();
    closers.push(() => home[Symbol.asyncDispose]());
  });
  afterEach(async () => {
    while (closers.length > 0) await closers.pop()!();
  });

  const names = ['n1', 'n2', 'n3'];
  const place = (env: Env, net: number) =>
    Promise.all(names.map((name, nth) => home.place(name, { env, address: address(net, nth) })));
  const address = (net: number, nth: number) => `127.0.${net}.${nth + 1}`;

  async function grow(env: Env): Promise<LabNode[]> {
    const nodes = await place(env, 1);
    await gather(nodes, env);
    return nodes;
  }

  async function comeBackElsewhere(before: readonly LabNode[], env: Env): Promise<void> {
    const token = await home.token(before);
    await untilWritten(before[1]!, token);
    await Promise.all(before.map((node) => node.kill()));
    const after = await place(env, 2);
    const began = performance.now();
    for (const node of after) node.start();
    await Promise.all(after.map((node) => node.ready()));
    await untilWritten(after[2]!, token, 90_000);
    note(`a change after ${Math.round(performance.now() - began)} ms`);
    const { members } = await untilVoters(after[1]!, 3, 90_000);
    for (const { addresses } of members) {
      expect(addresses.raft).to.satisfy(([first = '']: string[]) => first.startsWith('127.0.2.'));
    }
  }

  it('meet in the PostgreSQL that all of them use', async () => {
    const postgres = await startPostgres(`${home.dir}/postgres`, quiet);
    closers.unshift(() => postgres.stop());
    const env = { REVENGE_DATABASE_URL: postgres.url, REVENGE_CLUSTER_DISCOVERY_LAN: 'false' };
    await comeBackElsewhere(await grow(env), env);
  });

  it('hear each other on the local network, when their PostgreSQL was on one of them', async () => {
    await comeBackElsewhere(await grow({}), {});
  });
});
