import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { defaultDataFolder, isOpenToOthers } from './data-folder.ts';

describe('where data goes when nobody says', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-folder-'));
    mkdirSync(join(folder, 'in'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is beside the program, unless root would hand it to an account that cannot get there', () => {
    const here = join(folder, 'in', 'data');
    chmodSync(folder, 0o700);
    expect(isOpenToOthers(here)).to.equal(false);
    expect(defaultDataFolder(0, here)).to.equal('/var/lib/revenge');
    expect(defaultDataFolder(1000, here)).to.equal(here);
    chmodSync(folder, 0o755);
    expect(isOpenToOthers(here)).to.equal(true);
    expect(defaultDataFolder(0, here)).to.equal(here);
  });
});
