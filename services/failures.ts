import { reasonReader, type Reason } from './known-reasons.ts';

/**
 * What is kept of why a job, a backup or a scan failed are sentences, those of programs and of the
 * system among them. The ones that are to be expected have codes, by which clients say them in
 * other languages; see api/components.yaml. A code is never renamed; a sentence that is changed
 * keeps its old words here for as long as they may be kept somewhere.
 */
export const failures = {
  tooLong: /^(the job has taken too long|it ran for too long)$/,
  nodeGone: /^the node that ran it is gone$/,
  databaseAway:
    /^(write CONN\w+ \S+|terminating connection due to .*|the database system is .*|sorry, too many clients already)$/,
  databaseBusy: /^(canceling statement due to (statement|lock) timeout|deadlock detected)$/,
  noConnection: /^connect E[A-Z]+ (?<address>\S+)$/,
  searchAway: /^typesense: (?<why>.+)$/s,
  noAnswer: /^(the mount does not answer|the media did not answer in time)$/,
  toolMissing: /^(?<tool>ffmpeg|ffprobe) is not installed$/,
  diskFull: /^(ENOSPC|EDQUOT): /,
  notThere: /^(the root cannot be read: )?ENOENT: /,
  forbidden: /^(the root cannot be read: )?(EACCES|EPERM|EROFS): /,
  broken: /^(the root cannot be read: )?EIO: /,
  scanCutOff: /^every run was cut off$/,
  noSuchKind: /^no such kind$/,
  backupUnset: /^no folder is set for backups/,
  backupFolderGone: /^(?<path>\/.*) is not there$/s,
  backupNoFolder: /^(?<path>\/.*) is no folder$/s,
  backupForbidden: /^this user may not use (?<path>\/.*)$/s,
  backupNoRoom: /^no room is left in (?<path>\/.*)$/s,
  backupUnusable: /^(?<path>\/.*) cannot be used \((?<why>\w+)\)$/s,
  backupTaken: /^(?<path>\/.*) is there already: choose another name$/s,
  backupNoKey: /^"(?<key>.*)" is no public key/s,
  backupTable: /^the database has a table (?<name>\S+), which this program does not know/,
  backupForeign: /^this is no backup of Revenge/,
  backupCutOff: /^the backup is damaged: it is cut off$/,
  backupDamaged: /^the backup(?:'s .* (cannot be read|is not what a backup has)| is damaged: .*)$/s,
  backupNewer: /^the backup has format (?<format>\d+), and this program knows up to (?<known>\d+)/,
} as const satisfies Readonly<Record<string, RegExp>>;

export type FailureCode = keyof typeof failures | 'other';

/** Which of the failures we know a sentence tells of; `other` for all else. Pure. */
export const failureIn: (sentence: string) => Reason<keyof typeof failures> =
  reasonReader(failures);
