import { expect } from 'chai';
import { rememberValid } from './remember.ts';
import type { RawRequest, ValidRequest } from './validate.ts';

function counting(refuse = false) {
  const asked: RawRequest[] = [];
  const validator = rememberValid({
    warm: async () => undefined,
    response: async () => undefined,
    async request(raw): Promise<ValidRequest> {
      asked.push(raw);
      if (refuse) throw new Error('refused');
      return { ...raw, query: { ...raw.query, limit: 50 } };
    },
  });
  return { asked, validator };
}

const raw = (more: Partial<RawRequest> = {}): RawRequest => ({
  params: {},
  query: { tags: ['a', 'b'] },
  headers: {},
  contentType: undefined,
  body: undefined,
  ...more,
});

describe('remembered validation', () => {
  it('asks once for one address, and gives each caller a copy', async () => {
    const { asked, validator } = counting();
    const first = await validator.read(raw(), 'tags=a,b');
    first.query['limit'] = 'spoilt';
    const second = await validator.read(raw(), 'tags=a,b');
    second.query['limit'] = 'spoilt too';
    const third = await validator.read(raw(), 'tags=a,b');
    expect(third.query).to.deep.equal({ tags: ['a', 'b'], limit: 50 });
    expect(() => (third.query['tags'] as string[]).push('c')).to.throw(TypeError);
    expect(asked).to.have.length(1);
  });

  const apart: [string, Partial<RawRequest>, string][] = [
    ['another query', {}, 'tags=a'],
    ['another path', { params: { id: '1' } }, ''],
    ['a path that looks like one with a query', { params: { id: '1/?tags=a' } }, ''],
    ['a path and a query', { params: { id: '1' } }, 'tags=a'],
    ['two path parameters', { params: { id: '1', other: '2' } }, ''],
    ['one with their separator', { params: { id: '1/2' } }, ''],
  ];
  it('keeps different addresses apart', async () => {
    const { asked, validator } = counting();
    for (const [, more, search] of apart) await validator.read(raw(more), search);
    for (const [, more, search] of apart) await validator.read(raw(more), search);
    expect(asked).to.have.length(apart.length);
  });

  const never: [string, Partial<RawRequest>, string][] = [
    ['bodies', { contentType: 'application/json', body: {} }, ''],
    ['headers that are parameters', { headers: { 'last-event-id': '1' } }, ''],
    ['very long addresses', {}, 'x'.repeat(1_000)],
  ];
  for (const [name, more, search] of never) {
    it(`does not remember ${name}`, async () => {
      const { asked, validator } = counting();
      await validator.read(raw(more), search);
      await validator.read(raw(more), search);
      expect(asked).to.have.length(2);
    });
  }

  it('does not remember what was refused', async () => {
    const { asked, validator } = counting(true);
    for (let i = 0; i < 2; i++) {
      const refused = await validator.read(raw(), '').catch((error: Error) => error);
      expect(refused).to.be.instanceOf(Error);
    }
    expect(asked).to.have.length(2);
  });
});
