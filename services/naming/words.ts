import { languageCode } from '../languages.ts';
import {
  audioCodecOf,
  lookUp,
  type Fact,
  type Found,
  type Match,
  type Strength,
} from './lexicon.ts';
import type { Token, Tokens } from './tokens.ts';

const match = (facts: readonly Fact[], strength: Strength, to: number): Match => ({
  word: { facts, strength },
  to,
});

/** All words of a release's tables and patterns in a name, in order; they do not overlap. */
export function findWords(text: string, name: Tokens): Found[] {
  const { tokens } = name;
  const words: Found[] = [];
  for (let at = 0; at < tokens.length;) {
    const token = tokens[at];
    const found = token && (lookUp(tokens, at) ?? matchPattern(name, at, token));
    if (token === undefined || found === undefined) {
      at += 1;
      continue;
    }
    const { start, bracket } = token;
    const isHyphened = start > 0 && text[start - 1] === '-' && tokens[at - 1]?.end === start - 1;
    const { word, to } = found;
    const end = tokens[to - 1]?.end ?? token.end;
    words.push({
      facts: word.facts,
      strength: word.strength,
      from: at,
      to,
      start,
      end,
      bracket,
      isHyphened,
    });
    at = to;
  }
  return words;
}

/** Words of open kinds: sizes of pictures and files, hashes, codecs with channels. */
function matchPattern(name: Tokens, at: number, { text }: Token): Match | undefined {
  const first = text.charCodeAt(0);
  const isDigit = first >= 0x30 && first <= 0x39;
  if (isDigit)
    return (
      picture(text, at) ??
      times(text, at) ??
      hash(name, at) ??
      amount(name, at) ??
      channels(name, at)
    );
  if (first > 0x2e80) return chinese(text, at);
  const last = text.charCodeAt(text.length - 1);
  if (last >= 0x30 && last <= 0x39) {
    return codecWithChannels(name, at) ?? mark(text, at) ?? hash(name, at);
  }
  return hash(name, at);
}

/** `2xUkr`: two sound tracks of a language. */
function times(text: string, at: number): Match | undefined {
  const name = /^[2-9]x([a-z]{2,3})$/.exec(text)?.[1];
  const language = name === undefined ? undefined : languageCode(name);
  return language === undefined ? undefined : match([['language', language]], 'weak', at + 1);
}

const heights = new Set([360, 368, 480, 540, 576, 720, 900, 1080, 1440, 2160, 4320]);

/** `1080p`, `720p60`, `1920x1080`: lines as people say them, or width and height as they are. */
function picture(text: string, at: number): Match | undefined {
  const lines = /^(\d{3,4})([pi])(?:x|hd)?(\d{2,3})?(?:fps)?$/.exec(text);
  if (lines !== null) {
    const facts: Fact[] = [['resolution', `${lines[1]}${lines[2]}`]];
    if (lines[3] !== undefined) facts.push(['frameRate', `${lines[3]}fps`]);
    return match(facts, 'strong', at + 1);
  }
  const frames = /^(2[3-5]|30|50|60)p$/.exec(text)?.[1];
  if (frames !== undefined) return match([['frameRate', `${frames}fps`]], 'strong', at + 1);
  const size = /^(\d{3,4})x(\d{3,4})([pi]?)$/.exec(text);
  if (size === null) return undefined;
  const width = Number(size[1]);
  const height = Number(size[2]);
  if (width > 1_899 && width < 2_101 && height < 400) return undefined;
  return match([['resolution', sizeName(width, height, size[3] ?? '')]], 'strong', at + 1);
}

/** The class of a picture's size by its width; sizes of no class are named as they are. */
function sizeName(width: number, height: number, scan: string): string {
  const ratio = width / height;
  const kind = scan === 'i' ? 'i' : 'p';
  if (heights.has(height) && ratio >= 1.333 && ratio < 1.9) return `${height}${kind}`;
  const wide: readonly (readonly [number, string])[] = [
    [1_280, '720'],
    [1_920, '1080'],
    [3_840, '2160'],
    [7_680, '4320'],
  ];
  const known = wide.find(([known]) => known === width && ratio > 1.3);
  return known === undefined ? `${width}x${height}` : `${known[1]}${kind}`;
}

/** A checksum: eight hexadecimal digits in brackets of their own. */
function hash(name: Tokens, at: number): Match | undefined {
  const token = name.tokens[at];
  if (token?.text.length !== 8 || token.bracket === 0) return undefined;
  const bracket = name.brackets[token.bracket];
  const isAlone = bracket?.start === token.start - 1 && bracket.end === token.end + 1;
  if (!isAlone || !/^[0-9a-f]{8}$/.test(token.text) || /^(?:19|20)\d{6}$/.test(token.text)) {
    return undefined;
  }
  return match([['hash', token.text.toUpperCase()]], 'strong', at + 1);
}

const units = /^(\d{1,5})(gb|mb|tb|gib|mib|kbps|mbps|kbit|kbits|mbit|mbits|fps|hz)$/;

/** `700mb`, `1.46gb`, `24fps`, `384kbit`. */
function amount(name: Tokens, at: number): Match | undefined {
  const { tokens } = name;
  const text = tokens[at]?.text ?? '';
  const next = tokens[at + 1];
  const whole = units.exec(text);
  if (whole !== null) {
    const kind = whole[2] === 'fps' ? 'frameRate' : 'size';
    return match([[kind, text]], 'strong', at + 1);
  }
  if (next === undefined || !/^\d{1,3}$/.test(text)) return undefined;
  const isPart = next.start === (tokens[at]?.end ?? 0) + 1;
  if (!isPart || !(units.test(next.text) || /^(?:gb|mb|tb|fps|mbps|kbps)$/.test(next.text))) {
    return undefined;
  }
  return match([['size', `${text}.${next.text}`]], 'strong', at + 2);
}

const byCount: Readonly<Record<string, string>> = {
  '1': '1.0',
  '2': '2.0',
  '5': '5.1',
  '6': '5.1',
  '7': '7.1',
  '8': '7.1',
};

/** `5.1`, `7 1`, `2.0ch`, `6ch`: how many channels a sound has. */
function channels(name: Tokens, at: number): Match | undefined {
  const { tokens } = name;
  const token = tokens[at];
  const next = tokens[at + 1];
  if (token === undefined) return undefined;
  const count = /^([1-9])ch(?:annels?)?$/.exec(token.text)?.[1];
  if (count !== undefined) {
    return match([['channels', byCount[count] ?? `${count}.0`]], 'strong', at + 1);
  }
  if (!/^[1-9]$/.test(token.text) || next?.bracket !== token.bracket) return undefined;
  const part = /^([0-2])(?:ch|x\d)?$/.exec(next.text)?.[1];
  if (part === undefined || next.start !== token.end + 1) return undefined;
  const value = token.text === '6' && part === '0' ? '5.1' : `${token.text}.${part}`;
  return match([['channels', value]], 'weak', at + 2);
}

/** `DD5.1`, `AAC2.0`, `DDP51`: a codec and its channels in one word. */
function codecWithChannels(name: Tokens, at: number): Match | undefined {
  const { tokens } = name;
  const token = tokens[at];
  const split = /^([a-z][a-z0-9]*?)([1-9])([0-2])?$/.exec(token?.text ?? '');
  const codec =
    split?.[1] === undefined ? undefined : (audioCodecOf(split[1]) ?? profileOf(split[1]));
  if (token === undefined || split === null || codec === undefined) return undefined;
  const next = tokens[at + 1];
  const own = split[3];
  const follows = next?.start === token.end + 1 && /^[0-2]$/.test(next.text);
  const part = own ?? (follows ? next.text : undefined);
  if (part === undefined) return undefined;
  const value = split[2] === '6' && part === '0' ? '5.1' : `${split[2]}.${part}`;
  const facts: Fact[] = [...codec.facts, ['channels', value]];
  return match(facts, 'strong', own === undefined ? at + 2 : at + 1);
}

/** `HD5.1`, `MA5.1`: the rest of a codec's name that the channels have grown onto. */
function profileOf(text: string): { facts: readonly Fact[] } | undefined {
  if (text === 'ma') return { facts: [['profile', 'Master Audio']] };
  return text === 'hd' || text === 'hra' || text === 'atmos' ? { facts: [] } : undefined;
}

/** `repack2`, `rerip5`, `v2`; `e05`, which ends a title where episodes are not looked for. */
function mark(text: string, at: number): Match | undefined {
  const again = /^(?:repack|rerip|proper)(\d)$/.exec(text)?.[1];
  if (again !== undefined) return match([['proper', again]], 'strong', at + 1);
  if (/^e\d{2,3}$/.test(text)) return match([['mark', 'other']], 'strong', at + 1);
  const version = /^v(\d)$/.exec(text)?.[1];
  return version === undefined ? undefined : match([['version', version]], 'code', at + 1);
}

/** Chinese words for subtitles and sound, which stand without separators. */
function chinese(text: string, at: number): Match | undefined {
  const says = /字幕|简体|繁體|繁体|简繁|繁中|简日|国语|中字|内封|内嵌|外挂|招募/.test(text);
  return says ? match([['language', 'zh']], 'strong', at + 1) : undefined;
}
