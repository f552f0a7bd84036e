import type {
  DirectoryStat,
  FileFacts,
  Frame,
  FrameWish,
  ImageFacts,
  ImageSource,
  ImageTarget,
  Keyframes,
  Listing,
  Look,
  Loudness,
  MediaErrorCode,
  Probe,
  Put,
} from './media.ts';

type File = { root: string; path: string };
type Call<Input, Output> = { input: Input; output: Output };

/** What a media process can be asked, with the shapes that cross the process boundary. */
export interface Calls {
  list: Call<File, Listing>;
  listMany: Call<{ root: string; paths: readonly string[] }, (Listing | Failure)[]>;
  statDirectories: Call<{ root: string; paths: readonly string[] }, (DirectoryStat | undefined)[]>;
  stat: Call<File, FileFacts>;
  statMany: Call<{ root: string; paths: readonly string[] }, (FileFacts | Failure)[]>;
  read: Call<File & { maxBytes: number }, Uint8Array>;
  readMany: Call<
    { root: string; paths: readonly string[]; maxBytes: number },
    (Uint8Array | Failure)[]
  >;
  put: Call<File & { bytes: Uint8Array | undefined; over: string | undefined }, Put>;
  resolve: Call<{ root: string }, string>;
  fingerprint: Call<File, string>;
  head: Call<File, Probe | undefined>;
  lookMany: Call<{ root: string; paths: readonly string[] }, (Look | Failure)[]>;
  probe: Call<File, Probe>;
  keyframes: Call<File, Keyframes>;
  loudness: Call<File, Loudness>;
  frame: Call<File & FrameWish, Frame>;
  attachedPicture: Call<File & { index: number }, Uint8Array>;
  inspectImage: Call<{ image: ImageSource }, ImageFacts>;
  resizeImage: Call<{ image: ImageSource } & ImageTarget, Uint8Array>;
}

export type CallName = keyof Calls;

/** A MediaError on its way between processes. */
export interface Failure {
  readonly failed: MediaErrorCode;
  readonly message: string;
}

/** To a media process. Every call is idempotent, so that a crash may be answered by asking again. */
export type Ask = {
  [Name in CallName]: { id: number; name: Name; input: Calls[Name]['input'] };
}[CallName];

/** What is asked about many files at once, or computes. */
export type BulkName =
  'list' | 'listMany' | 'statDirectories' | 'statMany' | 'readMany' | 'head' | 'lookMany';
export type Bulk = Extract<Ask, { name: BulkName }>;

export type ToProcess = Ask | { cancel: number };

/** From a media process: exactly one answer for every call, cancelled ones included. */
export type FromProcess = {
  id: number;
  /** st_dev of the call's root, as soon as the process knows it. */
  device?: string;
} & ({ value: unknown } | Failure);

/** Where a media process finds its programs; undefined: not on this machine. */
export interface Tools {
  readonly ffmpeg: string | undefined;
  readonly ffprobe: string | undefined;
}
