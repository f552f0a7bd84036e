/** What a run found, as a person reads it (Markdown). Pure. */
import type { Judged, JudgedEpisode, RunResult, Verdict } from './run.ts';

const verdicts: readonly Verdict[] = ['right', 'open', 'wrong', 'unread'];

const share = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;

const count = (list: readonly Judged[], verdict: Verdict): number =>
  list.filter((one) => one.verdict === verdict).length;

/** A table whose cells are as they are given; the formatter aligns them. */
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** All of it. */
export function describeRun(result: RunResult): string {
  const { films, series, episodes, questions, seconds, trouble } = result;
  const wrongs = [...trouble].map(([name, times]) => `${name} ${times}`).join(', ');
  return [
    `${questions} questions in ${Math.round(seconds)} s; of the answers: ${wrongs || 'all well'}.`,
    table(
      ['', 'works', 'right', 'left to a person', 'wrong', 'not read', 'share right'],
      [totals('films', films), totals('series', series), episodeTotals(episodes)],
    ),
    'How sure the matches by title are:',
    table(['score', 'films', 'series'], histogram(films, series)),
    'Films by the way they are named:',
    table(['form', 'films', 'right', 'others', 'mean score'], byForm(films)),
    ...list('What was not right:', [...films, ...series]),
    ...episodeList(episodes),
  ].join('\n\n');
}

const totals = (name: string, list: readonly Judged[]) => [
  name,
  list.length,
  ...verdicts.map((verdict) => count(list, verdict)),
  share(count(list, 'right'), list.length),
];

const episodeTotals = (episodes: readonly JudgedEpisode[]) => {
  const right = episodes.filter(({ isRight }) => isRight).length;
  const rest = episodes.length - right;
  return ['episodes', episodes.length, right, '–', rest, '–', share(right, episodes.length)];
};

const steps = [1, 0.975, 0.95, 0.925, 0.9, 0.875, 0.85] as const;

function histogram(films: readonly Judged[], series: readonly Judged[]) {
  const within = (list: readonly Judged[], index: number) =>
    list.filter(({ basis, score }) => {
      const above = steps[index - 1] ?? Infinity;
      const rounded = Math.round((score ?? 0) * 1_000) / 1_000;
      return basis === 'title' && rounded >= steps[index]! && rounded < above;
    }).length;
  const byId = (list: readonly Judged[]) => list.filter(({ basis }) => basis === 'id').length;
  return [
    ['by an id', byId(films), byId(series)],
    ...steps.map((step, index) => [
      index === 0 ? '1' : `from ${step}`,
      within(films, index),
      within(series, index),
    ]),
  ];
}

function byForm(films: readonly Judged[]) {
  const nameOf = ({ form }: Judged) => (form.startsWith('by hand') ? 'odd ones, by hand' : form);
  return [...Map.groupBy(films, nameOf)].map(([form, list]) => {
    const scores = list.flatMap(({ score }) => score ?? []);
    const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
    const right = count(list, 'right');
    return [form, list.length, right, list.length - right, mean.toFixed(3)];
  });
}

function list(title: string, judged: readonly Judged[]): string[] {
  const rows = judged
    .filter(({ verdict }) => verdict !== 'right')
    .map((one) => [
      `\`${one.path}\``,
      one.form.replace('by hand: ', ''),
      one.verdict,
      one.truth.key,
      saidOf(one),
    ]);
  if (rows.length === 0) return [];
  return [title, table(['path', 'how it is named', 'verdict', 'truth', 'what was found'], rows)];
}

const saidOf = ({ takenFor, candidates }: Judged): string => {
  const found = candidates
    .slice(0, 3)
    .map(({ title, year, score }) => `${title} (${year}) ${score}`);
  return [`read as ${takenFor ?? 'nothing'}`, ...found].join('; ');
};

function episodeList(episodes: readonly JudgedEpisode[]): string[] {
  const wrong = episodes.filter(({ isRight }) => !isRight);
  if (wrong.length === 0) return [];
  const rows = wrong.map(({ path, form, takenFor }) => [`\`${path}\``, form, `\`${takenFor}\``]);
  return ['Episodes not in their place:', table(['path', 'how it is named', 'place'], rows)];
}
