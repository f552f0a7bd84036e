import { expect } from 'chai';
import type { LabNode } from '../lab/node.ts';
import { foundWith, openHome, type Home, type Status } from './home.ts';

describe('a database that is taken from its cluster', function () {
  this.timeout(200_000);
  let home: Home;
  let node: LabNode;
  before(async () => {
    home = await openHome();
    node = await home.place('n1');
    await foundWith(node);
  });
  after(() => home?.[Symbol.asyncDispose]());

  const release = () =>
    node.command<{ released: boolean }>('cluster', 'release', '--yes').catch(String);
  const status = () => node.command<Status>('cluster', 'status');

  it('stays its cluster’s while a node uses it', async () => {
    expect(await release()).to.match(/not released: nodes of the cluster .* \(from this machine\)/);
  });

  it('is nobody’s once it is released, and whose node starts next, under a new epoch', async () => {
    const { epoch } = await status();
    await node.stop();
    expect(await release()).to.deep.equal({ released: true });
    expect(await release()).to.deep.equal({ released: false });
    node.start();
    await node.ready();
    expect((await status()).epoch).to.be.greaterThan(epoch);
    await node.stop();
    expect(await release()).to.deep.equal({ released: true });
  });
});
