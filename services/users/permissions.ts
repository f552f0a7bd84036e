import type { Permission, Principal } from '../principal.ts';

/**
 * Every permission there is, with what it allows. The list is closed: the spec's `x-permission`
 * and the scopes of API keys name only these.
 */
export const permissions = {
  'libraries:read': 'See libraries and their folders',
  'libraries:write': 'Create, change, scan and delete libraries',
  'movies:read': 'See movies, people and their images',
  'movies:write': 'Edit and match movies',
  'series:read': 'See series and their episodes',
  'series:write': 'Match series',
  'search:read': 'Search',
  'playback:read': 'See what can be played, and how; read one’s own progress and lists',
  'playback:write': 'Play; keep one’s own progress, favourites and watchlist',
  'images:read': 'See images',
  'images:write': 'Choose, upload and delete images',
  'events:read': 'Follow live changes',
  'users:read': 'See all users and their sessions',
  'users:write': 'Create, change and delete users, reset passwords: as good as an administrator',
  'jobs:read': 'See background jobs',
  'jobs:write': 'Start, retry and cancel background jobs',
  'settings:read': 'See the settings of the server',
  'settings:write': 'Change the settings of the server',
  'admin:activity': 'Read the log of activity',
  'admin:folders': 'Browse the folders of the server, to choose those of a library',
  'admin:metrics': 'Read the metrics',
  'admin:search': 'See and rebuild the search index',
  'admin:backup': 'See and make backups',
  'admin:cluster': 'See and change the cluster',
  'admin:health': 'See the checks of every node',
  'admin:logs': 'Read the logs of every node',
} as const satisfies Record<Permission, string>;

/** One name of the closed list. */
export type KnownPermission = keyof typeof permissions;

/** All names of the closed list. */
export const permissionNames = Object.keys(permissions) as readonly KnownPermission[];

/** True when `name` is in the closed list. */
export const isPermission = (name: string): name is KnownPermission =>
  Object.hasOwn(permissions, name);

const userPermissions: readonly KnownPermission[] = [
  'libraries:read',
  'movies:read',
  'series:read',
  'search:read',
  'playback:read',
  'playback:write',
  'images:read',
  'events:read',
];

const byRole: Readonly<Record<Principal['role'], ReadonlySet<Permission>>> = {
  admin: new Set<Permission>([...permissionNames, 'admin:*']),
  user: new Set<Permission>(userPermissions),
};

/** What a role holds; an administrator holds the whole list, and `admin:*`. */
export const permissionsOf = (role: Principal['role']): ReadonlySet<Permission> => byRole[role];

/** What an API key may do: its scopes, as far as its owner still holds them. */
export function scopedPermissions(
  role: Principal['role'],
  scopes: readonly string[],
): ReadonlySet<Permission> {
  const held = permissionsOf(role);
  return new Set(scopes.filter(isPermission).filter((scope) => held.has(scope)));
}
