import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import type { Health } from './health.ts';
import { createLifecycle } from './lifecycle.ts';

describe('the end of a node', () => {
  function node({ lastMs = 60_000 } = {}) {
    const said: string[] = [];
    const farewell = Promise.withResolvers<void>();
    const rest = new AsyncDisposableStack();
    rest.defer(() => void said.push('rest'));
    const workers = {
      setTaking: (isTaking: boolean) => void said.push(`taking ${isTaking}`),
      stop: async ({ softMs = -1 } = {}) => void said.push(`workers ${softMs}`),
    };
    const lifecycle = createLifecycle({
      health: { stopping: () => void said.push('not ready') } as unknown as Health,
      http: { close: async () => void said.push('http') },
      workers: workers as never,
      async sayFarewell() {
        said.push('hands over');
        await farewell.promise;
      },
      ...{ rest, log: quiet, softMs: 6_000, lastMs, exit: () => void said.push('exit') },
    });
    return { said, farewell, lifecycle };
  }

  it('is first to take nothing new, and last to close what work rests on', async () => {
    const { said, farewell, lifecycle } = node();
    lifecycle.stop();
    lifecycle.stop();
    expect(said).to.deep.equal(['not ready', 'taking false', 'hands over']);
    farewell.resolve();
    await lifecycle.stopped;
    expect(said.slice(3)).to.deep.equal(['http', 'workers 6000', 'rest']);
  });

  it('hastens jobs at the second word, and leaves at once at the third', async () => {
    const { said, farewell, lifecycle } = node();
    lifecycle.stop();
    lifecycle.stop('cancel');
    lifecycle.stop('exit');
    expect(said.slice(3)).to.deep.equal(['workers 0', 'exit']);
    farewell.resolve();
    await lifecycle.stopped;
  });

  it('leaves as it is when the time it is given is over', async () => {
    const { said, lifecycle } = node({ lastMs: 1 });
    lifecycle.stop();
    while (!said.includes('exit')) await new Promise((resolve) => setImmediate(resolve));
    expect(said).to.not.include('rest');
  });
});
