import { statSync } from 'node:fs';
import { expect } from 'chai';
import { mountTable, readMountTable } from './mount-table.ts';

const table = mountTable(
  [
    '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
    '23 22 0:21 / /proc rw - proc proc rw',
    '30 22 8:17 / /media/films rw - ext4 /dev/sdb1 rw',
    '31 22 0:300 / /media/two\\040words rw - nfs4 box:/x rw',
    '32 22 0:50 / /media/series rw - ext4 /dev/sdc1 rw',
    '33 32 0:51 / /media/series rw - fuse.sshfs box:/y rw',
    '34 22 8:33 / /media/music rw - ext4 /dev/sdd1 rw',
    '35 34 0:60 / /media/music/nas rw - cifs //box/z rw',
    'half a line',
  ].join('\n'),
);
const device = (major: number, minor: number): string =>
  String((BigInt(minor >> 8) << 20n) | (BigInt(major) << 8n) | BigInt(minor & 0xff));

describe('the table of mounts', () => {
  for (const [root, on, isWhollyOn, why] of [
    ['/media/films', device(8, 17), true, 'a mount itself'],
    ['/media/films/old', device(8, 17), true, 'a folder of it'],
    ['/media/films', device(254, 0), false, 'another file system was mounted over it since'],
    ['/media/filmstrips', device(254, 0), true, 'only the name begins alike'],
    ['/media/two words', device(0, 300), true, 'a name with a space, a large number'],
    ['/media/series', device(0, 50), false, 'what lies beneath'],
    ['/media/series', device(0, 51), true, 'what lies on top'],
    ['/media/music', device(8, 33), false, 'something else is mounted inside'],
    ['/media/music/albums', device(8, 33), true, 'and not here'],
    ['/', device(254, 0), false, 'everything is inside'],
    ['/srv', device(254, 0), true, 'no mount of its own'],
  ] as const) {
    it(`says ${isWhollyOn ? 'yes' : 'no'} of ${root} on ${on}: ${why}`, () => {
      expect(table(root, on)).to.equal(isWhollyOn);
    });
  }

  it('of this machine says where a folder really is', function () {
    if (process.platform !== 'linux') return;
    const { dev } = statSync('/proc/self', { bigint: true });
    expect(readMountTable()('/proc/self', String(dev))).to.equal(true);
    expect(readMountTable()('/proc/self', '1')).to.equal(false);
  });
});
