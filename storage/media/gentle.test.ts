import { expect } from 'chai';
import { beGentle } from './gentle.ts';

/** As the kernel has it for who is not root. */
function asUser(priority: number) {
  const thread = {
    priority,
    getPriority: () => thread.priority,
    setPriority(wanted: number) {
      if (wanted < thread.priority) throw new Error('EACCES');
      thread.priority = wanted;
    },
  };
  return thread;
}

describe('the priority of threads that scan', () => {
  for (const [started, becomes] of [
    [-5, 10],
    [0, 10],
    [10, 10],
    [15, 15],
    [19, 19],
  ] as const) {
    it(`is ${becomes} where the node was started with ${started}`, () => {
      const thread = asUser(started);
      beGentle(thread);
      expect(thread.priority).to.equal(becomes);
    });
  }
});
