import { expect } from 'chai';
import { bodyOf, callOf, signIn, usersWorld } from '#test/users.ts';

const password = 'a long enough phrase';
const dayMs = 86_400_000;

describe('users: clean-up', () => {
  it('forgets what ended long ago and keeps what is alive', async () => {
    await using world = await usersWorld();
    const { users, clock } = world;
    const counts = async () => {
      const [row] = await world.db.sql`
        select (select count(*) from shared.sessions) as sessions,
          (select count(*) from shared.refresh_tokens) as tokens,
          (select count(*) from shared.api_keys) as keys`;
      return row;
    };
    const cleanUp = async () => {
      const { log } = world;
      const { signal } = new AbortController();
      for (const job of users.jobs) {
        await job.run({}, { jobId: 'job', attempt: 1, signal, log, progress: () => undefined });
      }
      return counts();
    };
    await users.createUser({ username: 'ada', password });
    const { principal } = await signIn(users, 'ada', password);
    const expiresAt = new Date(clock.now() + dayMs).toISOString();
    const body = { name: 'k', scopes: ['movies:read'], expiresAt };
    await bodyOf(users.handlers.createApiKey(callOf('createApiKey', { body, principal })));
    expect(await cleanUp()).to.deep.equal({ sessions: 1, tokens: 1, keys: 1 });
    clock.advance(31 * dayMs);
    expect(await cleanUp()).to.deep.equal({ sessions: 1, tokens: 0, keys: 1 });
    await signIn(users, 'ada', password);
    clock.advance(29.5 * dayMs);
    expect(await cleanUp()).to.deep.equal({ sessions: 1, tokens: 1, keys: 1 });
    clock.advance(30 * dayMs);
    expect(await cleanUp()).to.deep.equal({ sessions: 1, tokens: 0, keys: 1 });
    clock.advance(dayMs);
    expect(await cleanUp()).to.deep.equal({ sessions: 0, tokens: 0, keys: 0 });
  });
});
