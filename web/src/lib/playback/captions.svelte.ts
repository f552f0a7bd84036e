/** How large subtitles are, and what is behind them: of this device, as the distance to it is. */
export const captionSizes = ['small', 'medium', 'large'] as const;
export const captionBacks = ['none', 'shade', 'solid'] as const;
export type CaptionSize = (typeof captionSizes)[number];
export type CaptionBack = (typeof captionBacks)[number];

const sizeSlot = 'revenge.captions.size';
const backSlot = 'revenge.captions.back';

/** What was kept, where it is still one of what there is. */
function kept<T extends string>(slot: string, all: readonly T[], otherwise: T): T {
  const value = localStorage.getItem(slot);
  return all.find((one) => one === value) ?? otherwise;
}

function createCaptions() {
  let size = $state(kept(sizeSlot, captionSizes, 'medium'));
  let back = $state(kept(backSlot, captionBacks, 'shade'));
  return {
    get size() {
      return size;
    },
    set size(next: CaptionSize) {
      size = next;
      localStorage.setItem(sizeSlot, next);
    },
    get back() {
      return back;
    },
    set back(next: CaptionBack) {
      back = next;
      localStorage.setItem(backSlot, next);
    },
  };
}

export const captions = createCaptions();

/** What had no place of its own; only that is moved. */
const ours = new WeakSet<VTTCue>();

/**
 * Has subtitles stand so many lines above the lowest one, where nothing covers them; 0 is where the
 * browser puts them.
 */
export function liftCaptions({ textTracks }: HTMLVideoElement, lines: number): void {
  for (const { cues } of textTracks) {
    for (const cue of cues ?? []) {
      if (!(cue instanceof VTTCue) || !(cue.line === 'auto' || ours.has(cue))) continue;
      ours.add(cue);
      cue.line = lines === 0 ? 'auto' : -1 - lines;
    }
  }
}
