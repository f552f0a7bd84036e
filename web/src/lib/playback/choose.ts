import type { Movie, MediaFile } from '../types';
import { judge, type CanPlay, type Verdict } from './codecs.ts';

/** A file that was chosen to be played, and what the browser says of it. */
export interface Choice {
  readonly file: MediaFile;
  readonly label: string;
  readonly verdict: Verdict;
}

const rank = { yes: 0, maybe: 1, no: 2 } as const;

/** Every file one may play, with what the browser says of it, in the order of the versions. */
export function choicesOf(
  { versions }: Pick<Movie, 'versions'>,
  canPlay: CanPlay,
): readonly Choice[] {
  return versions
    .filter(({ isAvailable }) => isAvailable)
    .flatMap((version) =>
      version.files.map((file) => ({
        file,
        label: version.label ?? version.resolution ?? file.name,
        // What has not been looked into is given to the browser, which will say so itself.
        verdict:
          file.streams.length === 0
            ? ({ answer: 'maybe', obstacles: [], isMute: false } as const)
            : judge(file, canPlay),
      })),
    );
}

/** The one that was asked for, then that which was begun, then the best this browser plays. */
export function chooseFile(
  choices: readonly Choice[],
  wanted: { readonly asked: string | null; readonly begun: string | undefined },
): Choice | undefined {
  const byId = (id: string | null | undefined) => choices.find(({ file }) => file.id === id);
  const begun = byId(wanted.begun);
  const best = [...choices].sort((a, b) => rank[a.verdict.answer] - rank[b.verdict.answer])[0];
  return byId(wanted.asked) ?? (begun?.verdict.answer === 'no' ? best : (begun ?? best));
}

type Text = Pick<Movie['subtitles'][number], 'language' | 'isForced' | 'isHearingImpaired'>;

/**
 * Subtitles in the language of who watches before all others, there those of the speech alone, and
 * what is forced, as it says little, last. Pure.
 */
export function ownFirst<T extends Text>(texts: readonly T[], language: string): T[] {
  const [own = ''] = language.split('-');
  const place = (text: Text) => {
    if (text.isForced) return 3;
    if (text.language?.split('-')[0] !== own) return 2;
    return text.isHearingImpaired ? 1 : 0;
  };
  return [...texts].sort((a, b) => place(a) - place(b));
}
