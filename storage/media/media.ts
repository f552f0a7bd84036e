/**
 * What the program may do with media files. Everything here happens in a process of its own,
 * bounded per mount and with a deadline, so that a dead share costs its caller an error and nobody
 * else anything. Paths are strings in the encoding of `path.ts` (reversible for any name).
 */
export interface Media {
  /** One directory: entries with their stat, links resolved only inside `root`. */
  list(root: string, path: string, options: MediaCall): Promise<Listing>;
  /**
   * Many directories in one round trip, in the order asked for; one that cannot be listed is its
   * MediaError in the place of its listing. What concerns the whole root is thrown.
   */
  listMany(
    root: string,
    paths: readonly string[],
    options: MediaCall,
  ): Promise<(Listing | MediaError)[]>;
  /** One file, after all links; proves that it lies inside `root` and that its mount answers. */
  stat(root: string, path: string, options: MediaCall): Promise<FileFacts>;
  /** `stat` of many files in one round trip: one slot per path, in the order asked for. */
  statMany(
    root: string,
    paths: readonly string[],
    options: MediaCall,
  ): Promise<(FileFacts | MediaError)[]>;
  /** Modification times of many directories at once; `undefined` for one that is not there. */
  statDirectories(
    root: string,
    paths: readonly string[],
    options: MediaCall,
  ): Promise<(DirectoryStat | undefined)[]>;
  /** Reads a small file whole (NFO, artwork); throws MediaError `too-large` above `maxBytes`. */
  read(root: string, path: string, options: MediaCall & { maxBytes: number }): Promise<Uint8Array>;
  /** `read` of many small files in one round trip: one slot per path, in the order asked for. */
  readMany(
    root: string,
    paths: readonly string[],
    options: MediaCall & { maxBytes: number },
  ): Promise<(Uint8Array | MediaError)[]>;
  /**
   * Puts a small file in place, whole or not at all, or (`bytes` undefined) removes it. What is there
   * goes only if its SHA-256 (hex) is `over`; links are never followed, folders never made.
   */
  put(
    root: string,
    path: string,
    options: MediaCall & { bytes: Uint8Array | undefined; over: string | undefined },
  ): Promise<Put>;
  /** The real, absolute path of a directory, all links resolved. */
  resolve(path: string, options: MediaCall): Promise<string>;
  /** OpenSubtitles hash of a file: 64 KiB from each end plus the size, 16 hex digits. */
  fingerprint(root: string, path: string, options: MediaCall): Promise<string>;
  /** Streams and chapters; a file that cannot be parsed is a MediaError `unreadable`. */
  probe(root: string, path: string, options: MediaCall & ProbeWish): Promise<Probe>;
  /** `fingerprint`, and `probe` where no program is needed for it, of many files in one round trip. */
  lookMany(
    root: string,
    paths: readonly string[],
    options: MediaCall,
  ): Promise<(Look | MediaError)[]>;
  /** Where the first video may be cut without a loss; it may take reading all of the file. */
  keyframes(root: string, path: string, options: MediaCall): Promise<Keyframes>;
  /** How loud each audio stream is. Decodes all of the file: minutes of a core for a film. */
  loudness(root: string, path: string, options: MediaCall): Promise<Loudness>;
  /** The frame that shows most of some whole pictures from `atMs` on. */
  frame(root: string, path: string, options: MediaCall & FrameWish): Promise<Frame>;
  /** The picture attached to the container as stream `index`. */
  attachedPicture(
    root: string,
    path: string,
    options: MediaCall & { index: number },
  ): Promise<Uint8Array>;
  /** Checks an image with limits and describes it. */
  inspectImage(image: ImageSource, options: MediaCall): Promise<ImageFacts>;
  /** Resizes to at most `width` pixels wide (never enlarged) and encodes. */
  resizeImage(image: ImageSource, options: MediaCall & ImageTarget): Promise<Uint8Array>;
}

/**
 * The bytes of an image, or a file of the server's own that holds them: then this process need not
 * have them, nor copy them to the one that decodes.
 */
export type ImageSource = Uint8Array | { readonly file: string };

/** How a file is probed. */
export interface ProbeWish {
  /** `lookMany` has left it open: ask the program at once. */
  readonly isLookedAt?: boolean;
}

/** A file as `lookMany` sees it. */
export interface Look {
  readonly fingerprint: string;
  /** Undefined where its head leaves something open. */
  readonly probe: Probe | undefined;
}

/** Of the file that was read, whatever is in its place now. */
interface FileVersion {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** The keyframes of a file's first video; none where it has no video. */
export interface Keyframes extends FileVersion {
  /**
   * When each is shown, in order, on the file's own clock (ffprobe's `pts_time`): transport streams
   * rarely begin at 0, and an edited MP4 may have its first before 0. Of a video that could be cut
   * nearly everywhere, one for each second.
   */
  readonly timesMs: readonly number[];
  /** The container's index, or all of the file. */
  readonly from: 'index' | 'packets';
}

/** How loud a file is, by EBU R 128 and ITU-R BS.1770. */
export interface Loudness extends FileVersion {
  readonly streams: readonly StreamLoudness[];
}

/** One audio stream; undefined what silence does not have. */
export interface StreamLoudness {
  readonly index: number;
  /** Integrated, in LUFS. */
  readonly integrated: number | undefined;
  /** Loudness range, in LU. */
  readonly range: number | undefined;
  /** True peak, in dBTP. */
  readonly truePeak: number | undefined;
}

/** Which frame of a video is wanted. */
export interface FrameWish {
  readonly atMs: number;
  /** Of how many pictures the one that shows most is taken. */
  readonly among: number;
}

/** A JPEG, at most 1920 pixels wide, and where in the video it is. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/**
 * What became of a file that was to be put or removed: it is so, it was so already, another one is
 * there and stays, or nothing may be written there.
 */
export type Put = 'written' | 'same' | 'kept' | 'read-only';

export interface MediaCall {
  readonly signal?: AbortSignal;
  /**
   * Milliseconds until the call fails with MediaError `timeout`, waiting for a free place included.
   * Without it each call has a deadline of its own, counted from when its work begins.
   */
  readonly timeoutMs?: number;
  /** `user`: somebody waits for it, so it passes background work and may use the reserved place. */
  readonly priority?: 'user' | 'background';
}

/** One regular file, as it is behind all links. */
export interface FileFacts {
  /** Absolute, encoded, without links. */
  readonly realPath: string;
  /** The root's own path without links, in which `realPath` lies. */
  readonly realRoot: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly inode: string;
  readonly device: string;
}

export interface Entry {
  readonly name: string;
  readonly type: 'file' | 'directory';
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly inode: string;
  readonly device: string;
}

export interface Listing {
  /** The directory's own modification time, read before its entries. */
  readonly mtimeMs: number;
  readonly inode: string;
  readonly device: string;
  readonly entries: readonly Entry[];
  /** Names left out, and why (link out of the root, loop, special file, unreadable). */
  readonly refused: readonly { name: string; reason: string }[];
}

export interface DirectoryStat {
  readonly mtimeMs: number;
  readonly inode: string;
  readonly device: string;
}

export interface ImageFacts {
  readonly format: 'jpeg' | 'png' | 'webp' | 'avif' | 'gif';
  readonly width: number;
  readonly height: number;
  /** BlurHash, 4×3 components. */
  readonly blurhash: string;
  /** SHA-256 of the bytes, hex. */
  readonly sha256: string;
}

export interface ImageTarget {
  readonly width: number;
  readonly format: 'webp' | 'avif' | 'jpeg';
}

/** What a container holds, in ffprobe's words. */
export interface Probe {
  /** `matroska`, `mp4`, `mpegts`, `avi` … */
  readonly container: string;
  readonly durationMs: number | undefined;
  readonly bitrate: number | undefined;
  /** Tags of the container itself, names in lower case: `title` where it has one. */
  readonly tags: Readonly<Record<string, string>>;
  readonly streams: readonly ProbeStream[];
  /** Each lasts until the next begins, the last until the end, where its own end is not told. */
  readonly chapters: readonly { startMs: number; endMs: number; title: string | undefined }[];
}

export type ProbeStream = VideoStream | AudioStream | SubtitleStream | AttachmentStream;

interface StreamBase {
  readonly index: number;
  readonly codec: string;
  /** ISO 639 in two or three letters, whichever the reader of the file gives. */
  readonly language: string | undefined;
  readonly title: string | undefined;
  readonly isDefault: boolean;
  readonly isForced: boolean;
}

export interface VideoStream extends StreamBase {
  readonly type: 'video';
  readonly profile: string | undefined;
  readonly level: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number | undefined;
  /** Undefined where the reader of the file does not tell. */
  readonly variableFrameRate: boolean | undefined;
  readonly bitDepth: number | undefined;
  readonly pixelFormat: string | undefined;
  readonly hdr: 'HDR10' | 'HDR10+' | 'HLG' | 'DolbyVision' | undefined;
  /** `5`, `7`, `8.1` …: the profile, and what its base layer is compatible with. */
  readonly dolbyVisionProfile: string | undefined;
  readonly interlaced: boolean;
  readonly bitrate: number | undefined;
}

export interface AudioStream extends StreamBase {
  readonly type: 'audio';
  readonly profile: string | undefined;
  readonly channels: number;
  readonly channelLayout: string | undefined;
  readonly sampleRate: number | undefined;
  readonly bitrate: number | undefined;
}

export interface SubtitleStream extends StreamBase {
  readonly type: 'subtitle';
  readonly isHearingImpaired: boolean;
}

export interface AttachmentStream extends StreamBase {
  readonly type: 'attachment';
  /** `picture` for attached cover art, `font`, or `other`. */
  readonly role: 'picture' | 'font' | 'other';
  readonly fileName: string | undefined;
  readonly mimeType: string | undefined;
}

/** Why a media call failed; `code` is what callers switch on. */
export type MediaErrorCode =
  | 'not-found'
  | 'forbidden' // outside the root, or no permission
  | 'unreadable' // there, but not what it claims to be
  | 'too-large'
  | 'timeout'
  | 'unavailable' // the mount does not answer, or the process is down
  | 'tool-missing'
  | 'cancelled';

/** A media call's expected failure. */
export class MediaError extends Error {
  readonly code: MediaErrorCode;
  /** With `unavailable`: milliseconds after which another try makes sense. */
  retryAfterMs: number | undefined;
  constructor(code: MediaErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MediaError';
    this.code = code;
  }
}
