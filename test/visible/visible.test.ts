import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { mergeTopics, operationsOf, readTopics } from '#api/spec.ts';
import type { components } from '#api/types.ts';
import { permissionsOf } from '#services/users/permissions.ts';
import { writeFiles } from '../server.ts';
import { startScene, type Ids, type Scene } from './scene.ts';
import { rules, type Wish } from './table.ts';

type Schemas = components['schemas'];

interface Heard {
  readonly wish: Wish;
  readonly status: number;
  readonly text: string;
}

/** What somebody who administers nothing may call at all. */
const callable = [...operationsOf(mergeTopics(readTopics().values(), '0'))]
  .map(({ operation }) => operation)
  .filter(({ 'x-permission': wanted }) => {
    const held: ReadonlySet<string> = permissionsOf('user');
    return !wanted.includes(':') || held.has(wanted);
  })
  .map(({ operationId }) => operationId);

describe('a library that somebody may not see', function () {
  this.timeout(180_000);
  let scene: Scene;
  before(async () => {
    scene = await startScene();
  });
  after(() => scene?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await scene.limit(null);
    await scene.live();
  });

  const hear = async (wish: Wish, token = scene.viewer.tokens.accessToken): Promise<Heard> => {
    const { path, ...ask } = wish;
    const response = await scene.server.fetch(path, { token, ...ask });
    return { wish, status: response.status, text: await response.text() };
  };
  const hearAll = async (wishes: readonly Wish[], token?: string): Promise<Heard[]> => {
    const heard: Heard[] = [];
    for (const wish of wishes) heard.push(await hear(wish, token));
    return heard;
  };
  const secretsIn = (text: string, wish: Wish) =>
    // What was asked for is said back, and says nothing.
    scene.secrets.filter((secret) => text.includes(secret) && !wish.path.includes(secret));
  const words = ({ wish: { method = 'GET', path } }: Heard) => `${method} ${path}`;

  it('is a matter of every operation that there is, and of no other', () => {
    expect(Object.keys(rules).sort()).to.deep.equal(callable.toSorted());
  });

  for (const [operation, rule] of Object.entries(rules)) {
    if ('apart' in rule) continue;
    if ('gone' in rule) {
      it(`is not there for ${operation}, at once, and comes back`, async () => {
        const wishes = rule.gone(scene.hidden);
        const before = await hearAll(wishes);
        expect(before.filter(({ status }) => status >= 300).map(words)).to.deep.equal([]);
        await scene.limit();
        for (const heard of await hearAll(wishes)) {
          expect(heard.status, words(heard)).to.equal(404);
          expect(JSON.parse(heard.text), words(heard)).to.include({ type: '/problems/not-found' });
          expect(secretsIn(heard.text, heard.wish), heard.text).to.deep.equal([]);
        }
        const others = await hearAll(rule.gone(scene.shown));
        expect(others.filter(({ status }) => status >= 300).map(words)).to.deep.equal([]);
        await scene.limit(null);
        const after = await hearAll(wishes);
        expect(after.map(({ status }) => status)).to.deep.equal(before.map(({ status }) => status));
      });

      it(`looks to ${operation} as what never was`, async () => {
        await scene.limit();
        const never = Object.fromEntries(
          Object.keys(scene.hidden).map((name) => [name, randomUUID()]),
        ) as unknown as Ids;
        const told = ({ text }: Heard, ids: Ids) => {
          const plain = Object.values(ids as unknown as Record<string, string>).reduce(
            (all, id) => all.replaceAll(id, 'ID'),
            text,
          );
          const { type, title, status, detail } = JSON.parse(plain) as Schemas['Problem'];
          return { type, title, status, detail };
        };
        const hidden = await hearAll(rule.gone(scene.hidden));
        const none = await hearAll(rule.gone(never));
        expect(hidden.map((one) => told(one, scene.hidden))).to.deep.equal(
          none.map((one) => told(one, never)),
        );
      });
      continue;
    }
    it(`is left out by ${operation}, at once, and comes back`, async () => {
      const wishes = rule.without(scene.hidden);
      const before = await hearAll(wishes);
      // Otherwise it would prove nothing that they are not told later.
      const silent = before.filter(({ text, wish }) => secretsIn(text, wish).length === 0);
      expect(silent.map(words)).to.deep.equal([]);
      await scene.limit();
      for (const heard of await hearAll(wishes)) {
        expect(heard.status, heard.text).to.equal(200);
        expect(secretsIn(heard.text, heard.wish), words(heard)).to.deep.equal([]);
      }
      await scene.limit(null);
      const after = await hearAll(wishes);
      expect(after.filter(({ text, wish }) => secretsIn(text, wish).length === 0)).to.deep.equal(
        [],
      );
    });
  }

  const read = <Body>(path: string) =>
    scene.server.read<Body>(`/api/v1/${path}`, { token: scene.viewer.tokens.accessToken });

  it('is not counted', async () => {
    await scene.limit();
    expect((await read<Schemas['MoviePage']>('movies?offset=0')).total).to.equal(1);
    expect((await read<Schemas['SeriesPage']>('series?offset=0')).total).to.equal(1);
    const films = await read<Schemas['MovieFilters']>('movies/filters');
    expect(films.letters).to.deep.equal([{ value: 'a', count: 1 }]);
    const series = await read<Schemas['SeriesFilters']>('series/filters');
    expect(series.letters).to.deep.equal([{ value: 'b', count: 1 }]);
    const { items } = await read<Schemas['PersonWorkPage']>(`people/${await pacino()}/works`);
    expect(items.map(({ title }) => title)).to.deep.equal(['Alien']);
    expect((await read<Schemas['Person']>(`people/${await pacino()}`)).workCount).to.equal(1);
    const found = await read<Schemas['SearchResults']>('search?q=pacino&facets=library');
    expect(found.total).to.equal(1);
    expect(found.facets['library']).to.deep.equal([{ value: scene.shown.libraryId, count: 1 }]);
  });

  async function pacino(): Promise<string> {
    const { people } = await read<Schemas['Movie']>(`movies/${scene.shown.movieId}`);
    return people.find(({ name }) => name === 'Al Pacino')!.personId;
  }

  it('leaves the pages of a list whole', async () => {
    await scene.limit();
    const { items } = await read<Schemas['UserItemPage']>('users/me/favourites?limit=2');
    expect(items.map(({ title }) => title).sort()).to.deep.equal(['Alien', 'Bluey']);
  });

  it('is any library where somebody has none', async () => {
    await scene.limit([]);
    for (const path of ['libraries', 'movies', 'series', 'search?q=alien', 'users/me/favourites']) {
      expect((await read<{ items: unknown[] }>(path)).items, path).to.deep.equal([]);
    }
    for (const path of ['movies/filters', 'series/filters']) {
      const counts = Object.values(await read<Record<string, unknown[]>>(path));
      expect(counts.flat(), path).to.deep.equal([]);
    }
    expect((await hear({ path: `/api/v1/movies/${scene.shown.movieId}` })).status).to.equal(404);
  });

  it('is hidden from a key and from an address of that user, too', async () => {
    const { server, hidden, viewer } = scene;
    const token = viewer.tokens.accessToken;
    const scopes = ['movies:read', 'playback:read'];
    const json = { name: 'player', scopes };
    const asked = { token, method: 'POST', json };
    const { key } = await server.read<Schemas['CreatedApiKey']>('/api/v1/apikeys', asked);
    const movie: Wish = { path: `/api/v1/movies/${hidden.movieId}` };
    const file = `/api/v1/playback/files/${hidden.fileId}`;
    const { url } = await server.read<Schemas['PlaybackAddress']>(`${file}/address`, {
      ...{ token: key, method: 'POST' },
    });
    expect((await hear(movie, key)).status).to.equal(200);
    expect((await hear({ path: url }, '')).status).to.equal(200);
    await scene.limit();
    expect((await hear(movie, key)).status).to.equal(404);
    expect((await hear({ path: url }, '')).status).to.equal(404);
    await scene.limit(null);
    expect((await hear({ path: url }, '')).status).to.equal(200);
  });

  it('is nobody’s to hide from administrators, whatever was set of them', async () => {
    const { server, viewer, shown, hidden } = scene;
    const path = `/api/v1/users/${viewer.id}`;
    await scene.limit();
    const promoted = await server.read<Schemas['User']>(path, {
      ...{ method: 'PATCH', json: { role: 'admin' } },
    });
    expect(promoted.libraryIds).to.have.members([shown.libraryId, shown.seriesLibraryId]);
    expect((await hear({ path: `/api/v1/movies/${hidden.movieId}` })).status).to.equal(200);
    await server.read(path, { method: 'PATCH', json: { role: 'user' } });
    expect((await hear({ path: `/api/v1/movies/${hidden.movieId}` })).status).to.equal(404);
  });

  it('is told to whom it concerns, and leaves their lists when it is deleted', async () => {
    const { server, viewer } = scene;
    await writeFiles(server.films, { 'passing/Up (2009)/Up (2009).mkv': 'film' });
    const { id } = await server.library('Passing', 'passing');
    await scene.limit([id]);
    expect((await read<Schemas['Me']>('users/me')).libraryIds).to.deep.equal([id]);
    expect((await read<Schemas['LibraryList']>('libraries')).items).to.have.length(1);
    const { items } = await read<Schemas['MoviePage']>('movies');
    const { accessToken: token } = server.admin.tokens;
    const film = `/api/v1/movies/${items[0]!.id}`;
    expect((await server.fetch(film, { token })).status).to.equal(200);
    await server.read(`/api/v1/libraries/${id}`, { method: 'DELETE' });
    expect((await server.fetch(film, { token })).status, 'for who sees all').to.equal(404);
    expect((await read<Schemas['Me']>('users/me')).libraryIds).to.deep.equal([]);
    const user = await server.read<Schemas['User']>(`/api/v1/users/${viewer.id}`);
    expect(user.libraryIds).to.deep.equal([]);
  });
});
