/** What a key does in the player. */
export type KeyAction =
  | { readonly do: 'toggle' | 'mute' | 'full' | 'subtitles' | 'controls' | 'stage' | 'leave' }
  | { readonly do: 'next' | 'previous' }
  | { readonly do: 'skip'; readonly seconds: number }
  | { readonly do: 'part'; readonly part: number }
  | { readonly do: 'volume'; readonly by: number };

type Press = Pick<KeyboardEvent, 'key' | 'altKey' | 'ctrlKey' | 'metaKey'>;

const everywhere: Readonly<Record<string, KeyAction>> = {
  k: { do: 'toggle' },
  j: { do: 'skip', seconds: -10 },
  l: { do: 'skip', seconds: 10 },
  m: { do: 'mute' },
  f: { do: 'full' },
  c: { do: 'subtitles' },
  n: { do: 'next' },
  p: { do: 'previous' },
  MediaTrackNext: { do: 'next' },
  MediaTrackPrevious: { do: 'previous' },
  '+': { do: 'volume', by: 0.1 },
  '-': { do: 'volume', by: -0.1 },
  MediaPlayPause: { do: 'toggle' },
  MediaRewind: { do: 'skip', seconds: -30 },
  MediaFastForward: { do: 'skip', seconds: 30 },
  GoBack: { do: 'leave' },
  BrowserBack: { do: 'leave' },
};
/** On the picture itself; on a button these keys are the button's. */
const onStage: Readonly<Record<string, KeyAction>> = {
  ' ': { do: 'toggle' },
  Enter: { do: 'toggle' },
  ArrowLeft: { do: 'skip', seconds: -10 },
  ArrowRight: { do: 'skip', seconds: 10 },
  ArrowDown: { do: 'controls' },
  ArrowUp: { do: 'controls' },
  Backspace: { do: 'leave' },
};
const onControls: Readonly<Record<string, KeyAction>> = { Escape: { do: 'stage' } };

/** The action of a key press, or undefined for one that is nothing to the player. Pure. */
export function playerKey(press: Press, isOnStage: boolean): KeyAction | undefined {
  if (press.altKey || press.ctrlKey || press.metaKey) return undefined;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (/^[0-9]$/.test(key)) return { do: 'part', part: Number(key) / 10 };
  return everywhere[key] ?? (isOnStage ? onStage : onControls)[key];
}
