import { expect } from 'chai';
import fc from 'fast-check';
import type { Method } from '#api/spec.ts';
import { createRouter } from './router.ts';

const places: [Method, string][] = [
  ['get', '/'],
  ['get', '/a'],
  ['post', '/a'],
  ['get', '/a/{id}'],
  ['get', '/a/newest'],
  ['get', '/a/{id}/b/{other}'],
  ['put', '/a/newest/b'],
];
const router = createRouter(places.map(([method, path]) => ({ method, path })));

describe('router', () => {
  const found: [string, string, string, Record<string, string>][] = [
    ['GET', '/', '/', {}],
    ['GET', '/a', '/a', {}],
    ['HEAD', '/a', '/a', {}],
    ['GET', '/a/1', '/a/{id}', { id: '1' }],
    ['GET', '/a/newest', '/a/newest', {}],
    ['GET', '/a/x%2Fy', '/a/{id}', { id: 'x/y' }],
    ['GET', '/a/%C3%A9', '/a/{id}', { id: 'é' }],
    ['GET', '/a/newest/b/2', '/a/{id}/b/{other}', { id: 'newest', other: '2' }],
    ['GET', '/a/__proto__', '/a/{id}', { id: '__proto__' }],
  ];
  for (const [method, path, template, params] of found) {
    it(`${method} ${path} is ${template}`, () => {
      const match = router.match(method, path);
      expect(match).to.deep.include({ params });
      expect(match).to.have.nested.property('route.path', template);
    });
  }

  for (const path of ['/b', '/a/', '/a//b/2', '/a/1/b', '//a', '', '/A', '/a/1/b/2/3']) {
    it(`knows no ${path || 'empty path'}`, () => {
      expect(router.match('GET', path)).to.equal(undefined);
    });
  }

  it('says what a known path allows', () => {
    expect(router.match('DELETE', '/a')).to.deep.equal({
      allow: ['GET', 'POST', 'HEAD', 'OPTIONS'],
    });
    expect(router.match('GET', '/a/newest/b')).to.deep.equal({ allow: ['PUT', 'OPTIONS'] });
  });

  it('refuses malformed percent-encoding', () => {
    for (const bad of ['/a/%', '/a/%zz', '/a/%c3', '/a/%ff%fe']) {
      expect(() => router.match('GET', bad)).to.throw('percent-encoding');
    }
  });

  it('refuses two operations at one path', () => {
    const twice = [
      { method: 'get', path: '/a/{id}' },
      { method: 'get', path: '/a/{name}' },
    ] as const;
    expect(() => createRouter(twice)).to.throw('same path');
  });

  it('gives back any parameter that was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (id) => {
        const match = router.match('GET', `/a/${encodeURIComponent(id)}`);
        if (id !== 'newest') expect(match).to.deep.include({ params: { id } });
      }),
    );
  });
});
