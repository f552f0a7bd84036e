import { api, read, ring, sendSigned } from '../api';
import { nodeState } from '../api/node.svelte';
import { reporter } from './reporter';

/** What is played. */
export interface Playing {
  readonly kind: 'movie' | 'episode';
  readonly itemId: string;
  readonly fileId: string;
  /** Milliseconds to begin at. */
  readonly fromMs: number;
  /** False for extras: they are not the work. */
  readonly isReported: boolean;
}

export type PlayerState = 'opening' | 'playing' | 'paused' | 'waiting' | 'ended' | 'failed';

const reportEveryMs = 10_000;
/** How long the picture may stand still before it is asked whether the node is still there. */
const stillMs = 2_500;
/** With less than this to show, a node that is gone is left for another one. */
const lowSeconds = 3;
const triesMax = 6;
const volumeSlot = 'revenge.volume';

/** Plays one file in a video element, on whichever node is there, and tells how far it is. */
export function createPlayer(video: HTMLVideoElement, playing: Playing) {
  let state = $state<PlayerState>('opening');
  let time = $state(0);
  let duration = $state(0);
  let bufferedTo = $state(0);
  let volume = $state(Number(localStorage.getItem(volumeSlot) ?? 1));
  let isMuted = $state(false);
  let rate = $state(1);
  let origin = $state('');
  let tries = 0;
  let reportedAt = 0;
  let isOpening = false;
  let stillTimer: ReturnType<typeof setTimeout> | undefined;
  let hasPlayed = false;

  const report = () => ({
    ...{ kind: playing.kind, itemId: playing.itemId },
    fileId: playing.fileId,
    positionMs: Math.round(video.currentTime * 1_000),
    durationMs: Number.isFinite(video.duration) ? Math.round(video.duration * 1_000) : 0,
    at: new Date().toISOString(),
  });
  const isWorthTelling = () => playing.isReported && hasPlayed && video.duration > 0;
  const tell = () => {
    if (!isWorthTelling()) return;
    reportedAt = performance.now();
    // What does not arrive is kept, and sent with the next one.
    void reporter.tell(report()).catch(() => undefined);
  };
  const tellLeaving = () => {
    if (isWorthTelling()) reporter.tellLeaving(report());
  };

  /** Gets an address on the node that answers, and goes on where it was. */
  async function open(at: number, andPlay: boolean): Promise<void> {
    if (isOpening) return;
    isOpening = true;
    try {
      const params = { path: { fileId: playing.fileId } };
      const address = await read(api.POST('/api/v1/playback/files/{fileId}/address', { params }));
      origin = ring.current();
      video.src = origin + address.url;
      video.currentTime = at;
      video.playbackRate = rate;
      if (andPlay) await video.play().catch(() => (state = 'paused'));
    } catch {
      state = 'failed';
    } finally {
      isOpening = false;
    }
  }
  const goOn = () => {
    tries += 1;
    if (tries > triesMax) return void (state = 'failed');
    state = 'waiting';
    void open(video.currentTime || time, true);
  };
  /** Any answer will do: the question itself finds a node that gives one. */
  const findNode = () =>
    sendSigned({ method: 'GET', path: '/health/live', headers: new Headers(), body: undefined });
  const ahead = () => bufferedTo - video.currentTime;

  const onStill = () => {
    clearTimeout(stillTimer);
    stillTimer = setTimeout(() => {
      if (state !== 'waiting') return;
      void findNode().then(
        () => (ring.current() === origin ? onStill() : goOn()),
        () => onStill(),
      );
    }, stillMs);
  };
  const onTime = () => {
    time = video.currentTime;
    for (let i = 0; i < video.buffered.length; i += 1) {
      const isHere = video.buffered.start(i) <= time + 0.5;
      if (isHere && video.buffered.end(i) >= time) bufferedTo = video.buffered.end(i);
    }
    const isElsewhere = origin !== '' && nodeState.origin !== origin;
    if (isElsewhere && ahead() < lowSeconds && !video.ended) goOn();
    if (!video.paused && performance.now() - reportedAt > reportEveryMs) tell();
  };
  const onError = () => {
    const code = video.error?.code;
    // It was played until now, so it is not the file: the node or the way to it is gone.
    const isLine = code === MediaError.MEDIA_ERR_NETWORK || hasPlayed;
    if (!isLine || code === MediaError.MEDIA_ERR_DECODE) return void (state = 'failed');
    void findNode().then(goOn, () => (state = 'failed'));
  };
  const events: Partial<Record<keyof HTMLMediaElementEventMap, () => void>> = {
    timeupdate: onTime,
    progress: onTime,
    durationchange: () => (duration = Number.isFinite(video.duration) ? video.duration : 0),
    playing: () => {
      state = 'playing';
      hasPlayed = true;
      tries = 0;
    },
    pause: () => {
      if (!video.ended && !isOpening) state = 'paused';
      tell();
    },
    waiting: () => {
      state = 'waiting';
      onStill();
    },
    seeked: () => {
      onTime();
      if (performance.now() - reportedAt > 1_000) tell();
    },
    ended: () => {
      state = 'ended';
      tell();
    },
    error: onError,
    volumechange: () => {
      volume = video.volume;
      isMuted = video.muted;
      localStorage.setItem(volumeSlot, String(volume));
    },
    ratechange: () => (rate = video.playbackRate),
  };
  for (const [name, listener] of Object.entries(events)) video.addEventListener(name, listener);
  const onHide = () => document.visibilityState === 'hidden' && tellLeaving();
  document.addEventListener('visibilitychange', onHide);
  addEventListener('pagehide', tellLeaving);
  video.volume = volume;
  void open(playing.fromMs / 1_000, true);

  const seek = (to: number) => {
    const end = duration > 0 ? duration : Infinity;
    video.currentTime = Math.min(Math.max(0, to), end);
    time = video.currentTime;
  };
  const play = () => void video.play().catch(() => undefined);
  return {
    get state() {
      return state;
    },
    get time() {
      return time;
    },
    get duration() {
      return duration;
    },
    get bufferedTo() {
      return bufferedTo;
    },
    get volume() {
      return volume;
    },
    get isMuted() {
      return isMuted;
    },
    get rate() {
      return rate;
    },
    /** The node that sends it. */
    get origin() {
      return origin;
    },
    /** Pictures that were to be shown, and those of them that came too late. */
    frames() {
      const { totalVideoFrames: all, droppedVideoFrames: dropped } =
        video.getVideoPlaybackQuality();
      return { all, dropped };
    },
    seek,
    skip: (seconds: number) => seek(video.currentTime + seconds),
    toggle: () => (video.paused ? play() : video.pause()),
    play,
    pause: () => video.pause(),
    // The events of these come later, perhaps after another press.
    setVolume(next: number) {
      video.muted = next === 0;
      volume = video.volume = Math.min(1, Math.max(0, next));
    },
    toggleMute: () => (video.muted = !video.muted),
    setRate: (next: number) => (rate = video.playbackRate = next),
    retry: () => {
      tries = 0;
      state = 'opening';
      void open(time, true);
    },
    close() {
      tell();
      clearTimeout(stillTimer);
      for (const [name, listener] of Object.entries(events))
        video.removeEventListener(name, listener);
      document.removeEventListener('visibilitychange', onHide);
      removeEventListener('pagehide', tellLeaving);
      video.removeAttribute('src');
      video.load();
    },
  };
}

export type Player = ReturnType<typeof createPlayer>;
