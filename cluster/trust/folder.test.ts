import { expect } from 'chai';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, openAuthority } from './ca.ts';
import { createRequest, checkLeaf } from './certificates.ts';
import { TrustError } from './errors.ts';
import { authorityOf, ensureKey, readTrust, saveTrust } from './folder.ts';

describe('the files of trust', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'revenge-trust-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('are absent at first, and come back as they were written, for the owner alone', async () => {
    expect(Object.values(await readTrust(dir))).to.deep.equal(Array(5).fill(undefined));
    const files = {
      authorities: 'ca',
      authorityKey: 'cakey',
      certificate: 'crt',
      key: 'key',
      gossipKey: 'gossip',
    };
    await saveTrust(dir, files);
    expect(await readTrust(dir)).to.deep.equal(files);
    await saveTrust(dir, { certificate: 'renewed' });
    expect(await readTrust(dir)).to.deep.equal({ ...files, certificate: 'renewed' });
    const names = readdirSync(join(dir, 'cluster'));
    expect(names.sort()).to.deep.equal(['ca.crt', 'ca.key', 'gossip.key', 'node.crt', 'node.key']);
    for (const name of names) {
      expect(statSync(join(dir, 'cluster', name)).mode & 0o777, name).to.equal(0o600);
    }
  });

  it('take a whole authority, founded or brought along', async () => {
    const now = Date.parse('2026-03-01T00:00:00Z');
    const made = await createAuthority('c1', now);
    await saveTrust(dir, { authorities: made.certificates });
    expect(authorityOf(await readTrust(dir)), 'without its key').to.be.undefined;
    await saveTrust(dir, { authorityKey: made.key });
    const files = authorityOf(await readTrust(dir))!;
    const authority = openAuthority(files, () => now);
    const key = await ensureKey(dir);
    const certificate = await authority.sign(await createRequest(key, 'n1'), {
      clusterId: 'c1',
      nodeId: 'n1',
    });
    await saveTrust(dir, { certificate });
    const kept = await readTrust(dir);
    const wanted = { clusterId: 'c1', nodeId: 'n1', key: kept.key, now };
    checkLeaf(kept.certificate!, { trusted: kept.authorities!, ...wanted });
  });

  it('keep one key for life', async () => {
    const first = await ensureKey(dir);
    expect(await ensureKey(dir)).to.equal(first);
    writeFileSync(join(dir, 'cluster', 'node.key'), 'garbage');
    const error: unknown = await ensureKey(dir).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(TrustError).with.property('problem', 'unreadable');
  });

  for (const name of ['ca.key', 'node.key', 'gossip.key']) {
    it(`are refused when others may read ${name}`, async () => {
      await saveTrust(dir, { authorityKey: 'a', key: 'b', gossipKey: 'c' });
      const path = join(dir, 'cluster', name);
      chmodSync(path, 0o640);
      const error: unknown = await readTrust(dir).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(TrustError).with.property('problem', 'open-to-others');
      expect((error as Error).message).to.contain(`chmod 600 ${path}`);
      chmodSync(path, 0o600);
      await readTrust(dir);
    });
  }
});
