import { expect } from 'chai';
import { CommandError } from '../exit.ts';
import { confirm } from './confirm.ts';

interface Case {
  readonly what: string;
  readonly yes?: boolean;
  readonly isJson?: boolean;
  /** What somebody at the terminal types; absent: there is none. */
  readonly answer?: string;
  readonly shown: boolean;
  readonly exit?: number;
}

const cases: Case[] = [
  { what: '--yes', yes: true, shown: true },
  { what: '--yes and --json: the result alone', yes: true, isJson: true, shown: false },
  { what: 'nobody to be asked', shown: true, exit: 4 },
  { what: '--json', isJson: true, answer: 'y', shown: true, exit: 4 },
  { what: 'y', answer: 'y', shown: true },
  { what: 'YES', answer: ' YES ', shown: true },
  { what: 'n', answer: 'n', shown: true, exit: 4 },
  { what: 'nothing', answer: '', shown: true, exit: 4 },
  { what: 'something else', answer: 'yesterday', shown: true, exit: 4 },
];

describe('cluster commands: the question', () => {
  for (const { what, yes = false, isJson = false, answer, shown, exit } of cases) {
    it(`${exit === undefined ? 'goes on' : 'stops'} on ${what}`, async () => {
      const seen: string[] = [];
      const show = () => void seen.push('plan');
      const ask = async (question: string) => (seen.push(question), answer ?? '');
      const ended = await confirm(
        { yes, isJson, show },
        { isTerminal: answer !== undefined, ask },
      ).catch((error: unknown) => error);
      expect(ended instanceof CommandError ? ended.exit : ended).to.equal(exit);
      expect(seen.filter((text) => text === 'plan')).to.have.length(shown ? 1 : 0);
      const isAsked = !yes && !isJson && answer !== undefined;
      expect(seen.includes('Go on? [y/N] ')).to.equal(isAsked);
    });
  }
});
