import { expect } from 'chai';
import { mergeTopics, operationsOf, readTopics } from '#api/spec.ts';
import { isPermission, permissionNames, permissionsOf, scopedPermissions } from './permissions.ts';

describe('permissions', () => {
  const operations = [...operationsOf(mergeTopics(readTopics().values(), '0'))];
  const named = operations
    .map(({ operation }) => ({ id: operation.operationId, name: operation['x-permission'] }))
    .filter(({ name }) => !['public', 'authenticated', 'signed'].includes(name));

  it('named by the spec are all in the list', () => {
    const unknown = named.filter(({ name }) => !isPermission(name));
    expect(unknown).to.deep.equal([]);
  });

  it('are all held by an administrator, with the wildcard', () => {
    expect([...permissionsOf('admin')]).to.have.members([...permissionNames, 'admin:*']);
  });

  it('let a user read and play, and change nothing of the server', () => {
    expect([...permissionsOf('user')]).to.have.members([
      'libraries:read',
      'movies:read',
      'series:read',
      'search:read',
      'playback:read',
      'playback:write',
      'images:read',
      'events:read',
    ]);
  });

  it('of a key are its scopes as far as its owner holds them', () => {
    const scopes = ['movies:read', 'settings:write', 'gone:read', 'admin:*'];
    expect([...scopedPermissions('user', scopes)]).to.deep.equal(['movies:read']);
    expect([...scopedPermissions('admin', scopes)]).to.deep.equal([
      'movies:read',
      'settings:write',
    ]);
  });
});
