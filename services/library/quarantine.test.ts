import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { libraryRig, runJob, type LibraryRig } from '#test/library.ts';
import type { QuarantineHandlers } from './quarantine.ts';
import { clean } from './schedule.ts';

describe('a work that is missing', () => {
  let rig: LibraryRig;
  let libraryId: string;
  beforeEach(async () => {
    rig = await libraryRig();
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b', 'm/C/C.mkv': 'c' });
    libraryId = await rig.add('Films', 'm');
    for (const name of ['A', 'B']) await rm(join(rig.folder, `m/${name}`), { recursive: true });
    await rig.scan(libraryId);
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  interface Missing {
    itemId: string;
    path: string;
    isKept: boolean;
    keptUntil: string | null;
    missingSince: string;
  }
  const list = async (query: object = {}) => {
    const call = { params: { libraryId }, query };
    const reply = await rig.service.handlers.listMissingFiles(call as never);
    return (reply as { body: unknown }).body as { items: Missing[]; nextCursor: string | null };
  };
  const itemOf = async (name: string) => {
    const { items } = await list();
    return items.find(({ path }) => path.endsWith(`${name}.mkv`))!;
  };
  const tell = (operation: keyof QuarantineHandlers, itemId: string) =>
    rig.service.handlers[operation]({ params: { libraryId, itemId }, query: {} } as never);
  const works = async () => {
    const rows = await rig.db.sql<{ title: string }[]>`
      select title from plain_works order by title`;
    return rows.map(({ title }) => title);
  };
  const afterAMonth = async () => {
    rig.aheadMs = 31 * 86_400_000;
    await runJob(rig.service, clean.name, {});
  };

  it('is listed with the day it is forgotten on', async () => {
    const { items } = await list();
    expect(items.map(({ path }) => path)).to.have.members([
      join(rig.folder, 'm/A/A.mkv'),
      join(rig.folder, 'm/B/B.mkv'),
    ]);
    const [first] = items;
    const keptMs = Date.parse(first!.keptUntil!) - Date.parse(first!.missingSince);
    expect(keptMs).to.equal(30 * 86_400_000);
    const page = await list({ limit: 1 });
    const rest = await list({ limit: 1, cursor: page.nextCursor });
    expect([...page.items, ...rest.items]).to.deep.equal(items);
    expect(rest.nextCursor).to.equal(null);
  });

  it('is kept for good when a person says so, until they take it back', async () => {
    const { itemId } = await itemOf('A');
    await tell('keepMissingItem', itemId);
    expect(await itemOf('A')).to.include({ isKept: true, keptUntil: null });
    await afterAMonth();
    expect(await works()).to.deep.equal(['A', 'C']);
    await tell('releaseMissingItem', itemId);
    await afterAMonth();
    expect(await works()).to.deep.equal(['C']);
  });

  it('is let go at once when a person says so, and only that one', async () => {
    await tell('forgetMissingItem', (await itemOf('A')).itemId);
    expect(await works()).to.deep.equal(['B', 'C']);
    const [entry] = await rig.db.sql<{ details: object }[]>`
      select details from shared.activity where action = 'library.missing-forgotten'`;
    expect(entry?.details).to.deep.equal({ name: 'Films', files: 1 });
  });

  const refused = (operation: keyof QuarantineHandlers, id: string) =>
    Promise.resolve(tell(operation, id)).then(
      () => 'done',
      ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
    );

  it('is neither kept nor let go when it is there, or its folder is away', async () => {
    const { itemId } = await itemOf('A');
    const [c] = await rig.db.sql<{ id: string }[]>`select id from plain_works where title = 'C'`;
    expect(await refused('forgetMissingItem', c!.id)).to.match(/^not-found: /);
    expect(await refused('keepMissingItem', c!.id)).to.match(/^not-found: /);
    await rename(join(rig.folder, 'm'), join(rig.folder, 'away'));
    await rig.scan(libraryId);
    expect((await list()).items).to.deep.equal([]);
    const away = `conflict: ${rig.folder}/m is away: nothing in it counts as missing, or is forgotten`;
    for (const id of [itemId, c!.id]) {
      for (const operation of [
        'keepMissingItem',
        'releaseMissingItem',
        'forgetMissingItem',
      ] as const)
        expect(await refused(operation, id)).to.include(away);
    }
    await afterAMonth();
    expect(await works()).to.deep.equal(['A', 'B', 'C']);
    const acts = await rig.db.sql`
      select 1 from shared.activity where action like 'library.missing-%'`;
    expect(acts, 'what was refused is not in the log').to.have.length(0);
  });

  it('is kept through its folder being away, where a person said so before', async () => {
    const { itemId } = await itemOf('A');
    await tell('keepMissingItem', itemId);
    await rename(join(rig.folder, 'm'), join(rig.folder, 'away'));
    await rig.scan(libraryId);
    await rename(join(rig.folder, 'away'), join(rig.folder, 'm'));
    await rig.scan(libraryId);
    expect(await itemOf('A')).to.include({ isKept: true, keptUntil: null });
    await afterAMonth();
    expect(await works()).to.deep.equal(['A', 'C']);
  });

  it('has its time of grace from when its folder is there again, if it went while that was away', async () => {
    const folder = (name: string) => join(rig.folder, name);
    await rename(folder('m'), folder('away'));
    await rig.scan(libraryId);
    await rm(folder('away/C'), { recursive: true });
    await rig.write({ 'away/D/D.mkv': 'd' });
    await rig.db.sql`update files set missing_since = missing_since - interval '31 days'`;
    await rig.db.sql`
      update library_roots set unavailable_since = unavailable_since - interval '31 days'`;
    await rename(folder('away'), folder('m'));
    await rig.scan(libraryId);
    await runJob(rig.service, clean.name, {});
    expect(await works(), 'A and B had their time before').to.deep.equal(['C', 'D']);
    await afterAMonth();
    expect(await works()).to.deep.equal(['D']);
  });

  it('is not kept where its folder was taken out, with which it goes', async () => {
    const { itemId } = await itemOf('A');
    await rig.write({ 'n/D/D.mkv': 'd' });
    const paths = [join(rig.folder, 'n')];
    const call = { params: { libraryId }, body: { paths } };
    await rig.service.handlers.updateLibrary(call as never);
    expect(await refused('keepMissingItem', itemId)).to.include('m was taken out of the library');
    await rig.scan(libraryId);
    expect(await works()).to.deep.equal(['D']);
  });
});
