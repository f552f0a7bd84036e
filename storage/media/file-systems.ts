/**
 * File systems by the number that `statfs` gives them (Linux, `linux/magic.h` and their sources)
 * all changes of which pass through this kernel, so that it can tell of them. On others (NFS, SMB,
 * FUSE, 9p …) somebody else may change files unheard.
 */
const local: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0xca451a4e, 'bcachefs'],
  [0x3153464a, 'jfs'],
  [0x52654973, 'reiserfs'],
  [0x794c7630, 'overlay'],
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
  [0x7366746e, 'ntfs3'],
  [0x2011bab0, 'exfat'],
  [0x4d44, 'vfat'],
]);

const names: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x47504653, 'GPFS'],
  [0x0bd00bd0, 'Lustre'],
]);

/** Why changes on a file system of that type are not all heard of; undefined: they are. Pure. */
export function whyUnheard(type: number, platform: string): string | undefined {
  if (platform !== 'linux') return `events are not relied on under ${platform}`;
  const magic = type >>> 0;
  if (local.has(magic)) return undefined;
  const name = names.get(magic) ?? `a file system of type 0x${magic.toString(16)}`;
  return `${name} does not tell of what other machines change`;
}
