import { mergeTopics, readTopics } from '#api/spec.ts';
import { startWithExamples } from './api-examples.ts';
import { fixtureSpec, testApi, tokenFor } from './http.ts';
import { widgetHandlers, widgetId } from './fixtures/widgets.ts';
import { needs } from './needs.ts';
import type { Examples } from './spec-examples.ts';
import { specSuite } from './spec-suite.ts';

const examples: Examples = {
  listWidgets: { query: { limit: '1', tags: 'a,b' } },
  createWidget: { body: { name: 'x' } },
  getWidget: { params: { id: widgetId } },
  deleteWidget: async () => ({ params: { id: widgetId } }),
  getNewestWidget: { as: 'user' },
  getWidgetBytes: { query: { token: 'signed' }, as: 'none' },
  login: { body: { name: 'x' } },
};

specSuite('the spec of the fixture', fixtureSpec(), async () => {
  const api = await testApi({ handlers: widgetHandlers });
  return {
    url: api.url,
    adminToken: tokenFor('widgets:*'),
    userToken: tokenFor('widgets:read'),
    tokenWithout: async () => tokenFor('other:*'),
    examples,
    [Symbol.asyncDispose]: () => api.close(),
  };
});

describe('the spec of the API', () => {
  needs('ffmpeg', 'ffprobe');
  specSuite('served by a whole node', mergeTopics(readTopics().values(), '0'), startWithExamples);
});
