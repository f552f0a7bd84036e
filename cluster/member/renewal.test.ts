import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { readLeaf } from '../trust/certificates.ts';
import { readTrust, saveTrust } from '../trust/folder.ts';
import { makeCredentials, signHere } from './credentials.ts';
import { createRenewal } from './renewal.ts';

const dayMs = 86_400_000;
const clusterId = '01890000-0000-7000-8000-0000000000c1';

describe('the renewal of a certificate', () => {
  const folders: string[] = [];
  const folder = async () => {
    const dir = await mkdtemp(join(tmpdir(), 'revenge-renewal-'));
    folders.push(dir);
    return dir;
  };
  afterEach(async () => {
    for (const dir of folders.splice(0)) await rm(dir, { recursive: true });
  });

  async function memberAt(days: number, ask?: (id: string, request: string) => Promise<unknown>) {
    const dataDir = await folder();
    const state = { nowMs: Date.now(), renewed: 0 };
    const now = () => state.nowMs;
    await makeCredentials({ dataDir, clusterId, nodeId: 'a', now, randomBytes });
    state.nowMs += days * dayMs;
    const renewal = createRenewal({
      ...{ dataDir, nodeId: 'a', clusterId: () => clusterId, now, log: quiet },
      members: () => ['b', 'c'],
      ask: ask ?? (() => Promise.reject(new Error('nobody is asked'))),
      onRenewed: async () => void (state.renewed += 1),
    });
    const leaf = async () => readLeaf((await readTrust(dataDir)).certificate!);
    return { dataDir, renewal, state, now, leaf };
  }

  it('waits until two thirds of its life are over', async () => {
    const { renewal, state } = await memberAt(200);
    expect(await renewal.look()).to.equal(false);
    expect(state.renewed).to.equal(0);
  });

  it('is by the authority of this node, where it keeps one', async () => {
    const { renewal, state, leaf } = await memberAt(260);
    const before = await leaf();
    expect(await renewal.look()).to.equal(true);
    expect(state.renewed).to.equal(1);
    const after = await leaf();
    expect(after.validTo).to.be.greaterThan(before.validTo);
    expect(after.certificate.publicKey.export({ type: 'spki', format: 'pem' })).to.equal(
      before.certificate.publicKey.export({ type: 'spki', format: 'pem' }),
    );
    expect(await renewal.look()).to.equal(false);
  });

  it('is by another member otherwise, whichever can', async () => {
    const authority = await memberAt(260);
    const asked: string[] = [];
    const { renewal, dataDir } = await memberAt(260, async (id, request) => {
      asked.push(id);
      if (id === 'b') throw new Error('b keeps no authority');
      const named = { clusterId, nodeId: 'a', now: authority.now };
      return { certificate: await signHere(authority.dataDir, request, named) };
    });
    await rm(join(dataDir, 'cluster', 'ca.key'));
    expect(await renewal.look()).to.equal(true);
    expect(asked).to.deep.equal(['b', 'c']);
  });

  it('leaves all as it is when nobody signs', async () => {
    const { renewal, dataDir, state } = await memberAt(260);
    await rm(join(dataDir, 'cluster', 'ca.key'));
    const error: unknown = await renewal.look().catch((thrown: unknown) => thrown);
    expect(String(error)).to.match(/nobody is asked/);
    expect(state.renewed).to.equal(0);
    await saveTrust(dataDir, {});
  });
});
