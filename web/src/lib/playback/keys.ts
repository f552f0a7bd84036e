/** What a key does in the player. */
export type KeyAction =
  | { readonly do: 'toggle' | 'play' | 'pause' | 'mute' | 'full' | 'subtitles' | 'help' | 'facts' }
  | { readonly do: 'controls' | 'stage' | 'back' | 'leave' | 'next' | 'previous' }
  | { readonly do: 'skip'; readonly seconds: number }
  | { readonly do: 'part'; readonly part: number }
  | { readonly do: 'volume'; readonly by: number }
  | { readonly do: 'chapter' | 'rate'; readonly by: 1 | -1 };

type Press = Pick<KeyboardEvent, 'key' | 'altKey' | 'ctrlKey' | 'metaKey'>;

const backKeys: readonly string[] = ['GoBack', 'BrowserBack', 'Backspace'];
/** Whether a key is the way back of a remote control, or of a keyboard where nothing is written. */
export const isBack = (key: string): boolean => backKeys.includes(key);

/** Named as UI Events names them (W3C, “UI Events KeyboardEvent key Values”). */
const everywhere: Readonly<Record<string, KeyAction>> = {
  k: { do: 'toggle' },
  j: { do: 'skip', seconds: -10 },
  l: { do: 'skip', seconds: 10 },
  m: { do: 'mute' },
  f: { do: 'full' },
  c: { do: 'subtitles' },
  n: { do: 'next' },
  p: { do: 'previous' },
  i: { do: 'facts' },
  '?': { do: 'help' },
  '+': { do: 'volume', by: 0.1 },
  '-': { do: 'volume', by: -0.1 },
  '>': { do: 'rate', by: 1 },
  '<': { do: 'rate', by: -1 },
  MediaTrackNext: { do: 'next' },
  MediaTrackPrevious: { do: 'previous' },
  MediaPlayPause: { do: 'toggle' },
  MediaPlay: { do: 'play' },
  MediaPause: { do: 'pause' },
  MediaStop: { do: 'leave' },
  MediaRewind: { do: 'skip', seconds: -30 },
  MediaFastForward: { do: 'skip', seconds: 30 },
  MediaSkipBackward: { do: 'skip', seconds: -30 },
  MediaSkipForward: { do: 'skip', seconds: 30 },
  ClosedCaptionToggle: { do: 'subtitles' },
  Subtitle: { do: 'subtitles' },
  Info: { do: 'facts' },
};
/** On the picture itself; on a button these keys are the button's. */
const onStage: Readonly<Record<string, KeyAction>> = {
  ' ': { do: 'toggle' },
  Enter: { do: 'toggle' },
  ArrowLeft: { do: 'skip', seconds: -10 },
  ArrowRight: { do: 'skip', seconds: 10 },
  ArrowDown: { do: 'controls' },
  ArrowUp: { do: 'controls' },
  Home: { do: 'part', part: 0 },
  End: { do: 'part', part: 1 },
  PageUp: { do: 'chapter', by: -1 },
  PageDown: { do: 'chapter', by: 1 },
};

/** The action of a key press, or undefined for one that is nothing to the player. Pure. */
export function playerKey(press: Press, isOnStage: boolean): KeyAction | undefined {
  if (press.altKey || press.ctrlKey || press.metaKey) return undefined;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (/^[0-9]$/.test(key)) return { do: 'part', part: Number(key) / 10 };
  // One layer after the other: from a button to the picture, and from there out of the player.
  if (key === 'Escape' || isBack(key)) return { do: isOnStage ? 'back' : 'stage' };
  return everywhere[key] ?? (isOnStage ? onStage[key] : undefined);
}

/** What the player tells of its keys: each as it is in an event, and what it is for. */
export const keyHelp = [
  { says: 'toggle', keys: [' ', 'K'] },
  { says: 'skip', keys: ['ArrowLeft', 'ArrowRight', 'J', 'L'] },
  { says: 'controls', keys: ['ArrowUp', 'ArrowDown'] },
  { says: 'part', keys: ['0', '9'], isRange: true },
  { says: 'ends', keys: ['Home', 'End'] },
  { says: 'chapter', keys: ['PageUp', 'PageDown'] },
  { says: 'beside', keys: ['P', 'N'] },
  { says: 'volume', keys: ['-', '+'] },
  { says: 'mute', keys: ['M'] },
  { says: 'rate', keys: ['<', '>'] },
  { says: 'subtitles', keys: ['C'] },
  { says: 'full', keys: ['F'] },
  { says: 'facts', keys: ['I'] },
  { says: 'help', keys: ['?'] },
  { says: 'back', keys: ['Escape', 'Backspace'] },
] as const satisfies readonly {
  says: string;
  keys: readonly string[];
  /** From the first to the last of them. */
  isRange?: boolean;
}[];
