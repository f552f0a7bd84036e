import { mkdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Media } from '#storage/media/media.ts';
import { libraryRig, type LibraryRig } from '#test/library.ts';
import { createViewing } from './viewing.ts';

describe('a folder that nodes see differently', () => {
  let rig: LibraryRig;
  let id: string;
  let clock = 0;
  beforeEach(async () => {
    rig = await libraryRig();
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b', 'n/C/C.mkv': 'c', 'none/.keep': '' });
    id = await rig.add('Films', 'm', 'n');
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  /** What a node sees on which the share of `m` is not mounted: an empty folder. */
  const blind = (): Media => {
    const [real, empty] = [join(rig.folder, 'm'), join(rig.folder, 'empty')];
    return new Proxy(rig.media, {
      get(target, name: keyof Media) {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== 'function') return call;
        return (root: unknown, ...rest: unknown[]): unknown =>
          Reflect.apply(call as () => unknown, target, [root === real ? empty : root, ...rest]);
      },
    });
  };
  const viewing = (nodeId: string, media: Media = rig.media) =>
    createViewing({ ...rig.deps, media, nodeId, clock: () => clock });
  const missing = async () => {
    const rows = await rig.db.sql<{ path: string }[]>`
      select path from files where missing_since is not null order by path`;
    return rows.map(({ path }) => path);
  };
  const isLost = async () => {
    const [row] = await rig.db.sql`
      select count(*)::int as lost from library_roots where unavailable_since is not null`;
    return row?.['lost'] === 1;
  };
  const asBlind = () => rig.scan(id, { deps: { nodeId: 'n2', media: blind() } });
  const queued = async () => {
    const rows = await rig.db.sql`
      delete from library_scans where library_id = ${id} and state = 'queued' returning id`;
    return rows.length;
  };
  beforeEach(() => mkdir(join(rig.folder, 'empty')));

  it('does not vanish for a node on which it is not mounted while another sees it', async () => {
    await viewing('n1').once();
    await viewing('n2', blind()).once();
    await rig.write({ 'n/D/D.mkv': 'd' });
    expect(await asBlind()).to.include({ rootsUnavailable: 1, filesNew: 1 });
    expect(await missing()).to.deep.equal([]);
    expect(await isLost()).to.equal(false);
    const sighted = await rig.scan(id, { deps: { nodeId: 'n1' } });
    expect(sighted).not.to.have.property('rootsUnavailable');
    expect(await missing()).to.deep.equal([]);
  });

  it('vanishes when no other has seen it for a while', async () => {
    await viewing('n1').once();
    await rig.db.sql`update root_views set at = now() - interval '2 minutes'`;
    expect(await asBlind()).to.include({ rootsUnavailable: 1 });
    expect(await missing()).to.deep.equal(['A/A.mkv', 'B/B.mkv']);
    expect(await isLost()).to.equal(true);
  });

  it('vanishes when the others do not see it either', async () => {
    await viewing('n1', blind()).once();
    expect(await asBlind()).to.include({ rootsUnavailable: 1 });
    expect(await isLost()).to.equal(true);
  });

  it('is scanned when it is there again, or nobody sees it any more, and not again and again', async () => {
    const { once } = viewing('n1');
    await once();
    expect(await queued()).to.equal(0);
    await rename(join(rig.folder, 'm'), join(rig.folder, 'away'));
    await mkdir(join(rig.folder, 'm'));
    await once();
    await once();
    expect(await queued()).to.equal(1);
    await rig.scan(id, { deps: { nodeId: 'n1' } });
    expect(await isLost()).to.equal(true);
    await once();
    await rmdir(join(rig.folder, 'm'));
    await rename(join(rig.folder, 'away'), join(rig.folder, 'm'));
    await once();
    expect(await queued()).to.equal(1);
    await once();
    expect(await queued()).to.equal(0);
    clock += 61_000;
    await once();
    expect(await queued()).to.equal(1);
    await rig.scan(id, { deps: { nodeId: 'n1' } });
    expect(await missing()).to.deep.equal([]);
  });
});
