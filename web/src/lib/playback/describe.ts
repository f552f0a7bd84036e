import { languageName } from '../format';
import { codecName } from './codecs';
import type { MediaStream } from '../types';

const layouts: Readonly<Record<number, string>> = { 1: 'Mono', 2: 'Stereo', 6: '5.1', 8: '7.1' };

const loudnessFormat = (language: string) =>
  new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

/** One line on a stream: what a person chooses by. */
export function describeStream(stream: MediaStream, language: string): string {
  const { type, codec, width, height, frameRate, hdr, bitDepth, channels, title, loudness } =
    stream;
  const spoken = stream.language && languageName(stream.language, language);
  const parts =
    type === 'video'
      ? [
          codecName(codec),
          width && height && `${width} × ${height}`,
          frameRate && `${Math.round(frameRate * 100) / 100} fps`,
          bitDepth && bitDepth > 8 && `${bitDepth} bit`,
          hdr,
        ]
      : [
          spoken,
          title,
          codecName(codec),
          channels && (layouts[channels] ?? `${channels} ch`),
          loudness && `${loudnessFormat(language).format(loudness.integratedLufs)} LUFS`,
        ];
  return parts.filter(Boolean).join(' · ');
}
