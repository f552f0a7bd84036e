import { expect } from 'chai';
import { testApi } from '#test/http.ts';
import { widgetHandlers } from '#test/fixtures/widgets.ts';
import { createStaleness } from './staleness.ts';

describe('a node that is behind what a client has seen', () => {
  /** What a handler finds, when the client names this index and the node is at 7. */
  async function ask(index: string | undefined) {
    const staleness = createStaleness();
    const found: boolean[] = [];
    await using api = await testApi({
      handlers: {
        ...widgetHandlers,
        async listWidgets() {
          found.push(staleness.isBypassed());
          return widgetHandlers.listWidgets();
        },
      },
      ...{ staleness, clock: { applied: () => 7, waitFor: async () => false } },
    });
    const headers = index === undefined ? {} : { 'x-revenge-index': index };
    const response = await api.fetch('/api/v1/widgets', { token: 'widgets:read', headers });
    expect(response.status).to.equal(200);
    expect(staleness.isBypassed(), 'outside of requests').to.equal(false);
    return { found, index: response.headers.get('x-revenge-index') };
  }

  it('answers from the sources themselves, where every acknowledged change is', async () => {
    expect(await ask('8')).to.deep.equal({ found: [true], index: '7' });
  });

  it('takes what is cached for everybody else, and says how far that reaches', async () => {
    expect(await ask('7')).to.deep.equal({ found: [false], index: '7' });
    expect(await ask(undefined)).to.deep.equal({ found: [false], index: '7' });
  });
});
