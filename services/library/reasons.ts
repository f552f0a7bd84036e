import { reasonReader } from '../known-reasons.ts';

/**
 * What is kept of why something could not be taken in are sentences, those of programs and of the
 * system among them. The ones we know have codes, by which clients say them in other languages; see
 * api/libraries.yaml.
 */
export const reasons = {
  notThere: /^it is not there$/,
  empty: /^the folder is empty, although it held files/,
  otherDevice: /^another device is mounted here/,
  noAnswer: /^(the mount does not answer|the media did not answer in time)$/,
  gone: /^(the root cannot be read: )?ENOENT: /,
  forbidden: /^(the root cannot be read: )?(EACCES|EPERM): /,
  broken: /^(the root cannot be read: )?EIO: /,
  tooMany: /^the folder has more than (?<count>\d+) entries$/,
  pathTooLong: /^the path is too long$/,
  special: /^a special file$/,
  brokenLink: /^broken link$/,
  linkOut: /^link out of the library$/,
  linkLoop: /^link loop$/,
  linkBehind: /^link to a folder behind a link$/,
  ignoring: /^what it leaves out could not be read: (?<why>.+)$/s,
  fileEmpty: /^the file is empty$/,
  noStreams: /^no streams in it$/,
  playlist: /^a playlist in disguise/,
  notMedia: /^not a media file: (?<why>.+)$/s,
  keyframes: /^keyframes: (?<why>.+)$/s,
  loudness: /^loudness: (?<why>.+)$/s,
  twoServers:
    /^two servers say what lies here: (?<first>.+?) \((?<firstTitle>.*)\), which said so first and is believed, and (?<other>.+?) \((?<otherTitle>.*)\)$/s,
} as const satisfies Readonly<Record<string, RegExp>>;

/** Which of the sentences we know this is; `other` for all else. Pure. */
export const reasonOf = reasonReader(reasons);
