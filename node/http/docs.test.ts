import { expect } from 'chai';
import { parse } from 'yaml';
import { problems, type ProblemCode } from '#services/errors.ts';
import { specOf, testApi, type TestApi } from '#test/http.ts';
import { createDocs } from './docs.ts';
import { createProblemPages } from './problems.ts';

describe('reference', () => {
  let api: TestApi;
  const spec = specOf('docs');
  before(async () => {
    const handlers = { ...createDocs({ spec }).handlers, ...createProblemPages().handlers };
    api = await testApi({ spec, handlers });
  });
  after(() => api.close());

  it('is there as JSON and as YAML', async () => {
    const asJson: unknown = await (await api.fetch('/api/openapi.json')).json();
    const asYaml: unknown = parse(await (await api.fetch('/api/openapi.yaml')).text());
    expect(asJson).to.deep.equal(spec);
    expect(asYaml).to.deep.equal(spec);
  });

  it('has a page whose every file is ours', async () => {
    const page = await api.fetch('/api/docs');
    expect(page.headers.get('content-security-policy')).to.contain("script-src 'self'");
    const html = await page.text();
    const links = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(links).to.have.length(4);
    for (const link of links) {
      expect(link).to.match(/^\/api\/docs\//);
      const file = await api.fetch(link);
      expect(file.status, link).to.equal(200);
      expect((await file.arrayBuffer()).byteLength).to.be.greaterThan(100);
    }
  });

  it('has a style that loads nothing from outside', async () => {
    const css = await (await api.fetch('/api/docs/swagger-ui.css')).text();
    const loaded = [...css.matchAll(/url\(["']?([^)"']*)/g)].map((match) => match[1] ?? '');
    expect(loaded.filter((url) => !url.startsWith('data:'))).to.deep.equal([]);
    expect(css).not.to.contain('@import');
  });

  it('tells that a file has not changed', async () => {
    const file = '/api/docs/swagger-ui.css';
    const etag = (await api.fetch(file)).headers.get('etag')!;
    const again = await api.fetch(file, { headers: { 'if-none-match': etag } });
    expect(again.status).to.equal(304);
  });

  it('serves no other file of the package, nor of the disk', async () => {
    for (const name of ['package.json', 'index.html', '..%2fpackage.json', 'x']) {
      expect((await api.fetch(`/api/docs/${name}`)).status, name).to.be.within(400, 404);
    }
  });

  it('explains each problem', async () => {
    const { items } = (await (await api.fetch('/problems')).json()) as { items: object[] };
    expect(items).to.have.length(Object.keys(problems).length);
    for (const code of Object.keys(problems) as ProblemCode[]) {
      const page = await api.fetch(`/problems/${code}`);
      expect(await page.json()).to.include({ type: `/problems/${code}`, ...problems[code] });
    }
    expect((await api.fetch('/problems/nothing')).status).to.equal(404);
  });
});
