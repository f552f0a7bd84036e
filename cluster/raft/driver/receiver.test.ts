import { expect } from 'chai';
import { from, install, pieces } from '#test/fixtures/raft/transports.ts';
import type { Input, InstallRequest } from '../core/types.ts';
import { createRecorder } from './metrics.ts';
import type { Log, Store } from './ports.ts';
import { createReceiver } from './receiver.ts';

const log: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const rest = { from: 400, size: 1000, crc: 7 };

describe('a snapshot that is received', () => {
  const cases = [
    { what: 'all of it', come: 10, ends: 'commit 1000' },
    { what: 'too little', come: 9, ends: 'abort' },
    { what: 'too much', come: 11, ends: 'abort' },
    { what: 'the rest of it', come: 6, rest, ends: 'commit 1000' },
    { what: 'less than the rest', come: 5, rest, ends: 'abort' },
    { what: 'more than the rest', come: 7, rest, ends: 'abort' },
  ];
  for (const { what, come, rest: known, ends } of cases) {
    it(`is committed with the size that its sender stated, or not at all: ${what}`, async () => {
      const done: string[] = [];
      const heard = Promise.withResolvers<Input['type']>();
      const store = {
        async createSnapshot(_: unknown, given: unknown) {
          expect(given).to.equal(known);
          return {
            write: async () => undefined,
            commit: async (size: number) => void done.push(`commit ${size}`),
            abort: async () => void done.push('abort'),
          };
        },
      } as unknown as Store;
      const receiver = createReceiver({
        ...{ store, log, recorder: createRecorder(), now: () => 0 },
        input(input) {
          if (input.type !== 'request') return heard.resolve(input.type);
          const { snapshot, size } = input.request as InstallRequest;
          receiver.receive({ token: input.token, snapshot, size });
        },
      });
      const request = { ...install(1000), from };
      void receiver.handle(request, pieces(come, 100), known);
      const isWhole = ends !== 'abort';
      expect(await heard.promise).to.equal(isWhole ? 'snapshotReceived' : 'snapshotAborted');
      expect(done).to.deep.equal([ends]);
    });
  }
});
