import type { HandlersOf } from '#api/handler.ts';
import type { Cache } from '#storage/cache/cache.ts';
import type { Media } from '#storage/media/media.ts';
import { createReader, type Reader } from '#storage/media/reader.ts';
import type { Store } from '../changes.ts';
import type { Log } from '../log.ts';
import { createAddresses, type VerifyAddress } from './addresses.ts';
import { createContent } from './content.ts';
import { createFiles } from './files.ts';

export type { SignedAddress, VerifyAddress } from './addresses.ts';

export interface PlaybackDeps {
  readonly store: Store;
  readonly cache: Cache;
  readonly media: Pick<Media, 'stat'>;
  /** The cluster's signing key, at least 32 bytes; addresses get a key derived from it. */
  readonly signingKey: Uint8Array;
  readonly log: Log;
  readonly now: () => number;
  /** Reads at once on one mount; more wait. */
  readonly perMountLimit?: number;
  /** Milliseconds a mount may take to answer before it counts as unavailable; 10 s unless stated. */
  readonly lateMs?: number;
}

/** The bytes of files, and who may have them. */
export interface Playback {
  readonly handlers: HandlersOf<
    'getPlaybackFile' | 'getPlaybackContent' | 'createPlaybackAddress' | 'revokePlaybackAddresses'
  >;
  /** For `authenticate`: which credential an address stands for. */
  readonly verifySignature: VerifyAddress;
  /** What is being sent now, for metrics and for whoever gives way to viewers. */
  readonly activity: () => { streams: number; sentBytes: number };
}

/** Makes playback: originals by range; what a player needs to be told of a file. */
export function createPlayback(deps: PlaybackDeps): Playback {
  const { store, cache, media, now } = deps;
  const log = deps.log.child({ module: 'playback' });
  const { perMountLimit, lateMs } = deps;
  const limits = {
    ...(perMountLimit !== undefined && { perMountLimit }),
    ...(lateMs !== undefined && { lateMs }),
  };
  let sentBytes = 0;
  const onRead = (sizeBytes: number) => void (sentBytes += sizeBytes);
  const reader: Reader = createReader({ media, now, onRead, ...limits });
  const files = createFiles({ sql: store.sql, cache });
  const addresses = createAddresses({ ...deps, files });
  const content = createContent({ files, reader, log, now });
  return {
    handlers: { ...files.handlers, ...addresses.handlers, ...content.handlers },
    verifySignature: addresses.verify,
    activity: () => ({ streams: content.streams(), sentBytes }),
  };
}
