import { expect } from 'chai';
import { globSync, readFileSync } from 'node:fs';
import { specOf } from '#test/http.ts';
import { failureIn, failures, type FailureCode } from './failures.ts';
import { safeMessage } from './jobs/failure.ts';

const sources = globSync('{services,storage}/**/*.ts', {
  exclude: ['**/*.test.ts', 'services/failures.ts'],
})
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

/** What is kept, its code, what it is about, and the words of our own in it, as sources have them. */
const known: readonly [
  sentence: string,
  code: FailureCode,
  values?: Readonly<Record<string, string>>,
  words?: string,
][] = [
  ['the job has taken too long', 'tooLong', {}, "'the job has taken too long'"],
  ['it ran for too long', 'tooLong', {}, "'it ran for too long'"],
  ['the node that ran it is gone', 'nodeGone', {}, "'the node that ran it is gone'"],
  ['write CONNECTION_CLOSED 127.0.0.1:5432', 'databaseAway'],
  ['write CONNECT_TIMEOUT db:5432', 'databaseAway'],
  ['terminating connection due to administrator command', 'databaseAway'],
  ['the database system is shutting down', 'databaseAway'],
  ['canceling statement due to statement timeout', 'databaseBusy'],
  ['connect ECONNREFUSED 10.0.0.9:5432', 'noConnection', { address: '10.0.0.9:5432' }],
  [
    ...(['typesense: it did not answer for every document', 'searchAway'] as const),
    { why: 'it did not answer for every document' },
    "SearchUnavailableError('typesense', 'it did not answer",
  ],
  ['the mount does not answer', 'noAnswer', {}, "'the mount does not answer'"],
  ['the media did not answer in time', 'noAnswer', {}, "'the media did not answer in time'"],
  ['ffmpeg is not installed', 'toolMissing', { tool: 'ffmpeg' }, "'ffmpeg is not installed'"],
  ['ENOSPC: no space left on device, write', 'diskFull'],
  ["ENOENT: no such file or directory, open '/x'", 'notThere'],
  ['EROFS: read-only file system', 'forbidden'],
  [
    ...(['the root cannot be read: EACCES: permission denied', 'forbidden'] as const),
    ...([{}, 'the root cannot be read: ${'] as const),
  ],
  ['EIO: i/o error, read', 'broken'],
  ['every run was cut off', 'scanCutOff', {}, "'every run was cut off'"],
  ['no such kind', 'noSuchKind', {}, "'no such kind'"],
  [
    ...(['no folder is set for backups (backup.dir)', 'backupUnset'] as const),
    ...([{}, "'no folder is set for backups (backup.dir)'"] as const),
  ],
  ['/b is not there', 'backupFolderGone', { path: '/b' }, '`${folder} is not there`'],
  ['/b is no folder', 'backupNoFolder', { path: '/b' }, '`${folder} is no folder`'],
  [
    ...(['this user may not use /b c', 'backupForbidden'] as const),
    ...([{ path: '/b c' }, '`this user may not use ${folder}`'] as const),
  ],
  [
    ...(['no room is left in /b', 'backupNoRoom'] as const),
    ...([{ path: '/b' }, '`no room is left in ${folder}`'] as const),
  ],
  [
    ...(['/b cannot be used (EIO)', 'backupUnusable'] as const),
    ...([{ path: '/b', why: 'EIO' }, '`${folder} cannot be used (${'] as const),
  ],
  [
    ...(['/b/c.zst is there already: choose another name', 'backupTaken'] as const),
    ...([{ path: '/b/c.zst' }, '`${path} is there already: choose another name`'] as const),
  ],
  [
    ...(['"age1x" is no public key (age1…)', 'backupNoKey'] as const),
    ...([{ key: 'age1x' }, '"${recipient}" is no public key'] as const),
  ],
  [
    'the database has a table shared.new, which this program does not know: use the latest one',
    ...(['backupTable', { name: 'shared.new' }] as const),
    'the database has a table ${unknown}, which this program does not know',
  ],
  [
    ...(['this is no backup of Revenge: it begins with something else', 'backupForeign'] as const),
    ...([{}, "'this is no backup of Revenge: "] as const),
  ],
  [
    ...(['the backup is damaged: it is cut off', 'backupCutOff'] as const),
    ...([{}, "'the backup is damaged: it is cut off'"] as const),
  ],
  [
    ...(['the backup is damaged: its checksum does not fit', 'backupDamaged'] as const),
    ...([{}, "'the backup is damaged: its checksum"] as const),
  ],
  [
    ...(["the backup's manifest cannot be read", 'backupDamaged'] as const),
    ...([{}, "`the backup's ${what} cannot be read`"] as const),
  ],
  [
    ...(["the backup's manifest is not what a backup has", 'backupDamaged'] as const),
    ...([{}, "`the backup's ${what} is not what a backup has`"] as const),
  ],
  [
    'the backup has format 3, and this program knows up to 2: update it',
    ...(['backupNewer', { format: '3', known: '2' }] as const),
    'the backup has format ${format}, and this program knows up to ${',
  ],
];

describe('why a job, a backup or a scan failed', () => {
  for (const [sentence, code, values = {}, words] of known) {
    it(`is known by a code: ${code}, of "${sentence}"`, () => {
      expect(failureIn(sentence)).to.deep.equal({ code, values });
      expect(failureIn(safeMessage(new Error(sentence))), 'as jobs keep it').to.include({ code });
      if (words !== undefined) expect(sources).to.include(words);
    });
  }

  it('has its own words where nobody foresaw it', () => {
    for (const sentence of [
      '',
      'x is not a function',
      'relation "x" does not exist',
      'no such kin',
    ])
      expect(failureIn(sentence)).to.deep.equal({ code: 'other', values: {} });
  });

  it('stands in the spec with all its codes', () => {
    const schemas = specOf('jobs').components?.['schemas'] as Record<string, { enum?: string[] }>;
    const all = [...Object.keys(failures), 'other'];
    expect(schemas['FailureCode']?.enum).to.have.members(all);
    expect(new Set(known.map(([, code]) => code))).to.have.property('size', all.length - 1);
  });
});
