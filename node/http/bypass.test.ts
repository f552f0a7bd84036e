import { expect } from 'chai';
import { principalWith, testApi } from '#test/http.ts';
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

  it('lets a caller do what they may at the index that was waited for', async () => {
    let held = 'widgets:read';
    const clock = {
      applied: () => 7,
      async waitFor() {
        held = 'others:read';
        return true;
      },
    };
    const authenticate = async () => principalWith(held);
    await using api = await testApi({ handlers: widgetHandlers, clock, authenticate });
    const ask = (index: string) =>
      api.fetch('/api/v1/widgets', { headers: { 'x-revenge-index': index } });
    expect((await ask('7')).status).to.equal(200);
    expect((await ask('8')).status).to.equal(403);
  });
});

describe('an answer to a change', () => {
  for (const isAnnounced of [true, false]) {
    const words = isAnnounced ? 'names its index' : 'names none that would not cover it';
    it(`that is ${isAnnounced ? '' : 'not '}announced ${words}`, async () => {
      const staleness = createStaleness();
      await using api = await testApi({
        handlers: {
          ...widgetHandlers,
          async createWidget(call: Parameters<typeof widgetHandlers.createWidget>[0]) {
            if (!isAnnounced) staleness.hooks.onUnannounced();
            return widgetHandlers.createWidget(call);
          },
        },
        ...{ staleness, clock: { applied: () => 7, waitFor: async () => true } },
      });
      const response = await api.fetch('/api/v1/widgets', {
        ...{ method: 'POST', token: 'widgets:write', body: '{"name":"w","size":1}' },
        headers: { 'content-type': 'application/json' },
      });
      expect(response.status).to.equal(201);
      expect(response.headers.get('x-revenge-index')).to.equal(isAnnounced ? '7' : null);
    });
  }
});
