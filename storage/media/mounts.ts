import { MediaError } from './media.ts';
import type { IsWhollyOn } from './mount-table.ts';

/** What is known of the mounts that roots lie on: which answer, and when to try the others again. */
export interface Mounts {
  /** The mount's name: its device once a call has told it, the root's path before. */
  key(root: string): string;
  learn(root: string, device: string): void;
  /**
   * `open`: go ahead. `trial`: it hung lately, this one call may find out whether it still does.
   * Throws MediaError `unavailable` with `retryAfterMs` when nobody may try now.
   */
  ask(root: string): 'open' | 'trial';
  /** Throws like `ask`, but takes no trial. */
  check(root: string): void;
  /** A trial ended without having found anything out. */
  untried(root: string): void;
  /** A call answered, whatever it said. */
  answered(root: string): void;
  /** A call hung until its process was killed; returns the mount's name. */
  hung(root: string): string;
  /** A process that hangs there could not even be killed (+1), or is gone at last (−1). */
  abandoned(mount: string, change: 1 | -1): void;
  /** Mounts that do not answer now. */
  suspended(): readonly { mount: string; forMs: number; abandoned: number }[];
}

interface State {
  untilMs: number;
  pauseMs: number;
  isTried: boolean;
  abandoned: number;
}

const pauseFirstMs = 15_000;
const pauseMaxMs = 300_000;
const abandonedMax = 2;
const rootsMax = 10_000;
const devicePrefix = 'device:';

interface MountsOptions {
  /** In milliseconds. */
  readonly now: () => number;
  /** Asked when something hangs. */
  readonly isWhollyOn: IsWhollyOn;
}

/** Begins with all mounts open. */
export function createMounts({ now, isWhollyOn }: MountsOptions): Mounts {
  const devices = new Map<string, string>();
  const states = new Map<string, State>();
  const key = (root: string) => devices.get(root) ?? `root:${root}`;

  const unavailable = (state: State) => {
    const error = new MediaError('unavailable', 'the mount does not answer');
    error.retryAfterMs = Math.max(1_000, state.untilMs - now());
    return error;
  };
  const closedOr = (root: string): State | undefined => {
    const state = states.get(key(root));
    if (!state) return undefined;
    const isClosed = state.isTried || now() < state.untilMs || state.abandoned >= abandonedMax;
    if (isClosed) throw unavailable(state);
    return state;
  };
  const suspend = (mount: string): State => {
    const old = states.get(mount);
    const pauseMs = old ? Math.min(old.pauseMs * 2, pauseMaxMs) : pauseFirstMs;
    const state: State = {
      untilMs: now() + pauseMs,
      pauseMs,
      isTried: false,
      abandoned: old?.abandoned ?? 0,
    };
    states.set(mount, state);
    return state;
  };

  return {
    key,
    learn(root, device) {
      if (devices.size >= rootsMax) devices.clear(); // learned again by the next calls
      devices.set(root, devicePrefix + device);
    },
    check: (root) => void closedOr(root),
    ask(root) {
      const state = closedOr(root);
      if (!state) return 'open';
      state.isTried = true;
      return 'trial';
    },
    untried(root) {
      const state = states.get(key(root));
      if (state) state.isTried = false;
    },
    answered(root) {
      const state = states.get(key(root));
      if (state && state.abandoned === 0) states.delete(key(root));
      else if (state) state.isTried = false;
      states.delete(`root:${root}`);
    },
    hung(root) {
      // What hangs may have been mounted since the device was told, or somewhere inside: then all
      // others on that device must not pay for it.
      const device = devices.get(root);
      const isCertain = device !== undefined && isWhollyOn(root, device.slice(devicePrefix.length));
      if (!isCertain) devices.delete(root);
      suspend(key(root));
      return key(root);
    },
    abandoned(mount, change) {
      const state = states.get(mount) ?? suspend(mount);
      state.abandoned += change;
    },
    suspended: () =>
      [...states].map(([mount, state]) => ({
        mount,
        forMs: Math.max(0, state.untilMs - now()),
        abandoned: state.abandoned,
      })),
  };
}
