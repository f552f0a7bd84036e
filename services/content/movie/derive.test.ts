import { expect } from 'chai';
import { derive, type FileFacts } from './derive.ts';

const part = (id: string, more: Partial<FileFacts> = {}): FileFacts => ({
  ...{ id, stackId: null, sizeBytes: 1, isAuxiliary: false, nameResolution: null },
  ...{ durationMs: null, streams: null },
  ...more,
});
const hourMs = 3_600_000;
const firstDisc = part('a', { stackId: 'a', durationMs: hourMs });

describe('the length of a film by its files', () => {
  for (const [what, files, durationMs] of [
    ['nothing while none was looked into', [part('a')], null],
    ['that of its one file', [part('a', { durationMs: hourMs })], hourMs],
    [
      'that of its longest version',
      [part('a', { durationMs: hourMs }), part('b', { durationMs: 2 * hourMs })],
      2 * hourMs,
    ],
    [
      'that of all parts together',
      [firstDisc, part('b', { stackId: 'a', durationMs: hourMs })],
      2 * hourMs,
    ],
    // Half a film matches another one better.
    ['nothing while a part was not looked into', [firstDisc, part('b', { stackId: 'a' })], null],
    [
      'that of another version meanwhile',
      [firstDisc, part('b', { stackId: 'a' }), part('c', { durationMs: 3 * hourMs })],
      3 * hourMs,
    ],
    ['not that of what lies beside it', [part('a', { isAuxiliary: true, durationMs: 9 })], null],
  ] as const) {
    it(`is ${what}`, () => {
      expect(derive(files).durationMs).to.equal(durationMs);
    });
  }
});
