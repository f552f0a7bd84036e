import { expect } from 'chai';
import { CommandError, exitCode } from '../exit.ts';
import { wantedRules } from './autopilot.ts';
import { wantedToken } from './tokens.ts';

const faultOf = (run: () => unknown) => {
  try {
    return run();
  } catch (error) {
    return error instanceof CommandError ? error.exit : error;
  }
};
const hour = 3_600_000;

describe('cluster commands: options', () => {
  const tokens: [string, Omit<Parameters<typeof wantedToken>[0], 'kind'>, object][] = [
    ['nothing', {}, { ttlMs: hour, uses: 1 }],
    ['--ttl', { ttl: '30m' }, { ttlMs: hour / 2, uses: 1 }],
    ['--uses', { uses: '3' }, { ttlMs: hour, uses: 3 }],
    ['--forever', { forever: true }, { ttlMs: null, uses: null }],
    ['--forever --uses', { forever: true, uses: '5' }, { ttlMs: null, uses: 5 }],
  ];
  for (const [given, options, wanted] of tokens) {
    it(`makes of ${given} a token`, () => {
      const token = wantedToken({ kind: 'witness', ...options });
      expect(token).to.deep.equal({ kind: 'witness', ...wanted });
    });
  }

  const wrong = [{ kind: 'guest' }, { ttl: '1h', forever: true }, { uses: '1001' }, { ttl: '1' }];
  for (const options of wrong) {
    it(`makes no token of ${JSON.stringify(options)}`, () => {
      expect(faultOf(() => wantedToken({ kind: 'node', ...options }))).to.equal(exitCode.usage);
    });
  }

  it('sets the rules that were named', () => {
    expect(wantedRules({ deadAfter: 'never' })).to.deep.equal({ deadAfterMs: null });
    const all = {
      ...{ promote: 'no', cleanup: 'yes', lastContact: '2s', maxTrailing: '0' },
      ...{ stabilization: '10s', deadAfter: '3d', maxVoters: '7' },
    };
    expect(wantedRules(all)).to.deep.equal({
      ...{ promote: false, cleanup: true, lastContactMs: 2_000, maxTrailingEntries: 0 },
      ...{ stabilizationMs: 10_000, deadAfterMs: 72 * hour, maxVoters: 7 },
    });
    for (const options of [{}, { promote: '1' }, { maxVoters: '100' }, { deadAfter: 'soon' }]) {
      expect(faultOf(() => wantedRules(options))).to.equal(exitCode.usage);
    }
  });
});
