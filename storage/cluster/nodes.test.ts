import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createNodeRegistry, type NodeRegistry, type NodeRow } from './nodes.ts';

describe('the register of nodes', function () {
  const home = randomUUID();
  let db: TestDatabase;
  let nodes: NodeRegistry;
  before(async () => {
    db = await testDatabase();
    nodes = createNodeRegistry(db.sql);
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.cluster_nodes`);

  const row = (id: string, more: Partial<NodeRow> = {}): NodeRow => ({
    ...{ id, name: `name of ${id}`, version: '1.2.3', bootEpoch: 3, saidAt: 1_700_000_000_123 },
    addresses: { raft: [`${id}:7000`], rpc: [], gossip: [], api: [] },
    ...more,
  });

  it('gives back what was written down, of this cluster', async () => {
    await nodes.tell(home, row('a'));
    await nodes.tell(home, row('b'));
    await nodes.tell(randomUUID(), row('stranger'));
    expect(await nodes.read(home)).to.deep.equal([row('a'), row('b')]);
  });

  it('takes the later word, and never one of an earlier start', async () => {
    const words: [Partial<NodeRow>, isTaken: boolean][] = [
      [{ bootEpoch: 3, saidAt: 2000, name: 'first' }, true],
      [{ bootEpoch: 3, saidAt: 1000, name: 'earlier' }, false],
      [{ bootEpoch: 2, saidAt: 3000, name: 'of an earlier start' }, false],
      [{ bootEpoch: 3, saidAt: 2001, name: 'later' }, true],
      [{ bootEpoch: 4, saidAt: 1000, name: 'started again with a slow clock' }, true],
    ];
    for (const [word, isTaken] of words) {
      await nodes.tell(home, row('a', word));
      const [kept] = await nodes.read(home);
      expect(kept?.name === word.name, word.name).to.equal(isTaken);
    }
  });

  it('forgets who is no member any more, and other clusters', async () => {
    const other = randomUUID();
    await nodes.tell(home, row('a'));
    await nodes.tell(home, row('b'));
    await nodes.tell(other, row('c'));
    await nodes.keep(home, ['b']);
    expect(await nodes.read(home)).to.deep.equal([row('b')]);
    expect(await nodes.read(other)).to.deep.equal([]);
  });
});
