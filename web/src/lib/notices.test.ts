import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { checkSentences } from '../../../node/check-sayings.ts';
import { sayings } from '../../../node/cluster/sayings.ts';
import { details, mends } from '../../../node/doctor/sayings.ts';
import { failures } from '../../../services/failures.ts';
import { reasons } from '../../../services/library/reasons.ts';
import { written, type NoticeGroup, type NoticeValues } from './notices.ts';
import { plural } from './text.ts';

const languages = ['en', 'de'];
const messages = (code: string) =>
  JSON.parse(
    readFileSync(new URL(`../../messages/${code}.json`, import.meta.url), 'utf8'),
  ) as Record<string, string>;

/** What sentences of which only patterns are known are about. */
const placesOf = (patterns: Readonly<Record<string, RegExp>>) =>
  Object.fromEntries(
    Object.entries(patterns).map(([code, { source }]) => [
      code,
      [...source.matchAll(/\?<(\w+)>/g)].map(([, name]) => `{${name}}`).join(),
    ]),
  );

/** The sentences of the server by the group of our messages for them. */
const told: Record<NoticeGroup, Readonly<Record<string, string>>> = {
  'cluster.note': sayings.ClusterNoteCode,
  'cluster.problem': sayings.ClusterProblemCode,
  'cluster.event': sayings.ClusterEventCode,
  'cluster.step': sayings.ClusterStepCode,
  'cluster.refusal': sayings.ClusterRefusalCode,
  'problem.why': placesOf(reasons),
  failure: placesOf(failures),
  'check.said': checkSentences,
  finding: details,
  mend: mends,
};

const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

/** The forms of a message in a language: one, or those for numbers. */
function formsOf(all: Record<string, string>, key: string, language: string): string[] {
  if (all[key] !== undefined) return [all[key]];
  const names = new Set([0, 1, 2, 5, 21, 100].map((count) => plural(key, count, language)));
  return [...names].map((name) => all[name] ?? `no ${name}`);
}

describe('what the server says by codes', () => {
  for (const [group, sentences] of Object.entries(told)) {
    it(`can be said in every language, of what it is about: ${group}`, () => {
      for (const language of languages) {
        const all = messages(language);
        for (const [code, sentence] of Object.entries(sentences)) {
          for (const form of formsOf(all, `${group}.${code}`, language)) {
            expect(form, `${language} ${group}.${code}`).to.not.match(/^no /);
            expect(places(sentence), `${language} ${code}`).to.include.members(places(form));
          }
        }
      }
    });

    it(`is all there is: ${group}`, () => {
      const keys = Object.keys(messages('en')).filter((key) => key.startsWith(`${group}.`));
      const codes = keys.map((key) => key.slice(group.length + 1).replace(/#.*/, ''));
      expect([...new Set(codes)]).to.have.members(Object.keys(sentences));
    });
  }

  it('is written as the language does', () => {
    const values = {
      ...{ silentMs: 3 * 86_400_000, leastBytes: 4_700_000_000, count: 1234, name: '1234' },
      names: ['A', 'B', 'C'],
    };
    expect(written(values, 'de')).to.deep.equal({
      ...{ silentMs: '3 Tage', leastBytes: '4,7\u00a0GB', count: 1234, name: '1234' },
      names: 'A, B und C',
    });
    for (const [ms, wanted] of [
      [1_000, '1 second'],
      [7_250_000, '2 hours'],
      [200, '200 milliseconds'],
      [0, '0 seconds'],
    ] as const) {
      expect(written({ silentMs: ms }, 'en')).to.deep.equal({ silentMs: wanted });
    }
  });

  it('is written in some way where a later release says what is not known yet', () => {
    const later = { isOld: true, none: null, ports: [1, 2], place: { id: 1 } };
    expect(written(later as unknown as NoticeValues, 'en')).to.deep.equal({
      ...{ isOld: 'true', none: 'null', ports: '1 and 2', place: '{"id":1}' },
    });
  });
});
