import { lineAbove, type Picture } from './lift.ts';

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

/** As the style sheet has them. */
const scales = { small: 0.75, medium: 1, large: 1.5 } as const;

/** Has subtitles of this size stand where nothing covers them. */
export function liftCaptions(
  { textTracks }: HTMLVideoElement,
  size: CaptionSize,
  picture: Picture,
): void {
  for (const { cues } of textTracks) {
    for (const cue of cues ?? []) {
      if (!(cue instanceof VTTCue) || !(cue.line === 'auto' || ours.has(cue))) continue;
      ours.add(cue);
      cue.line = lineAbove(cue.text, scales[size], picture);
    }
  }
}
