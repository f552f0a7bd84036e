import { expect } from 'chai';
import { MediaError, type Media } from '#storage/media/media.ts';
import { mediaOfSeen } from './seen-media.ts';

describe('media of folders that a node does not see', () => {
  const codeOf = async (work: Promise<unknown>) =>
    work.then(
      () => 'ok',
      (error: unknown) => (error as MediaError).code,
    );
  const failing = (code: MediaError['code']) =>
    ({
      stat: async () => Promise.reject(new MediaError(code, 'x')),
      lookMany: async () => Promise.resolve([new MediaError(code, 'x')]),
    }) as unknown as Media;

  for (const { root, code, told } of [
    { root: '/away', code: 'not-found', told: 'unavailable' },
    { root: '/there', code: 'not-found', told: 'not-found' },
    { root: '/away', code: 'unreadable', told: 'unreadable' },
  ] as const) {
    it(`say ${told} for ${code} in ${root}`, async () => {
      const media = mediaOfSeen(failing(code), new Set(['/away']));
      expect(await codeOf(media.stat(root, 'x', {}))).to.equal(told);
      const [one] = await media.lookMany(root, ['x'], {});
      expect((one as MediaError).code).to.equal(told);
    });
  }
});
