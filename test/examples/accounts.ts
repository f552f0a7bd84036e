import type { components } from '#api/types.ts';
import { startServer } from '../server.ts';
import type { Example, Examples } from '../spec-examples.ts';
import type { Stock } from './stock.ts';

type Schemas = components['schemas'];

/** What needs no credential: probes, documents, signing in. */
export function publicExamples({ server }: Stock): Examples {
  return {
    getLiveness: {},
    getReadiness: {},
    getStartup: {},
    getSwarmHealth: {},
    getClusterReadiness: {},
    listNodes: { as: 'user' },
    getMachine: {},
    getOpenApiJson: {},
    getOpenApiYaml: {},
    getDocs: {},
    getDocsFile: { params: { file: 'swagger-ui.css' } },
    listProblems: {},
    getProblem: { params: { code: 'not-found' } },
    getSetup: {},
    completeSetup: async () => {
      const fresh = await startServer({ setUp: false });
      const token = fresh.node.setupToken;
      const body = { token, username: 'first', password: 'a password nobody has' };
      return { server: fresh, body };
    },
    login: { body: { username: 'user', password: server.user.password, deviceName: 'Sofa' } },
    refresh: async () => {
      const { tokens } = await server.account('refreshed');
      return { body: { refreshToken: tokens.refreshToken } };
    },
  };
}

/** What everybody may do with what is theirs. */
export function ownExamples({ server, movieId, fileId }: Stock): Examples {
  const movie: Example = { as: 'user', params: { kind: 'movie', itemId: movieId } };
  const asSomebody = async (username: string) => {
    const { tokens, password } = await server.account(username);
    return { token: tokens.accessToken, sessionId: tokens.sessionId, password };
  };
  return {
    getMe: { as: 'user' },
    updateMe: { as: 'user', body: { displayName: 'A user' } },
    logout: async () => ({ token: (await asSomebody('leaving')).token }),
    logoutAll: async () => ({ token: (await asSomebody('leaving-all')).token }),
    changePassword: async () => {
      const { token, password } = await asSomebody('changing');
      const newPassword = 'quite another password';
      return { token, body: { currentPassword: password, newPassword } };
    },
    listSessions: { as: 'user' },
    revokeSession: async () => {
      const { token, sessionId } = await asSomebody('revoking');
      return { token, params: { sessionId } };
    },
    listApiKeys: {},
    createApiKey: { as: 'user', body: { name: 'Sofa', scopes: ['movies:read'], expiresAt: null } },
    deleteApiKey: async () => {
      const json = { name: 'Thrown away', scopes: ['movies:read'] };
      const key = await server.read<Schemas['ApiKey']>('/api/v1/apikeys', { method: 'POST', json });
      return { params: { apiKeyId: key.id } };
    },
    getProgress: movie,
    putProgress: { ...movie, body: { positionMs: 900, durationMs: 2_000, fileId } },
    listContinueWatching: { as: 'user', query: { limit: '1' } },
    markWatched: movie,
    unmarkWatched: movie,
    addFavourite: movie,
    listFavourites: { as: 'user' },
    removeFavourite: movie,
    addToWatchlist: movie,
    listWatchlist: { as: 'user' },
    removeFromWatchlist: movie,
    exportWatchlist: async () => {
      const path = `/api/v1/users/me/watchlist/movie/${movieId}`;
      await server.read(path, { method: 'POST', token: server.userToken });
      return { as: 'user', query: { format: 'json' } };
    },
    streamEvents: { as: 'user', query: { events: 'scan.*,item.added' } },
  };
}

/** What administrators do with the accounts of others. */
export function userExamples({ server }: Stock): Examples {
  const make = async (username: string) => {
    const json = { username, password: 'thrown away with its user' };
    const user = await server.read<Schemas['User']>('/api/v1/users', { method: 'POST', json });
    return { params: { userId: user.id } };
  };
  return {
    listUsers: { query: { limit: '1', offset: '1' } },
    getUser: { params: { userId: server.user.id } },
    createUser: { body: { username: 'made', password: 'made to be looked at', role: 'user' } },
    updateUser: async () => ({ ...(await make('changed')), body: { disabled: true } }),
    deleteUser: () => make('deleted'),
    resetPassword: async () => ({ ...(await make('reset')), body: { password: 'a fresh start' } }),
    listUserSessions: { params: { userId: server.user.id } },
    revokeUserSessions: async () => ({ params: { userId: (await server.account('ended')).id } }),
    revokeUserSession: async () => {
      const { id, tokens } = await server.account('ended-once');
      return { params: { userId: id, sessionId: tokens.sessionId } };
    },
  };
}
