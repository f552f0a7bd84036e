import type { components } from '#api/types.ts';
import type { Client } from '../client.ts';
import { CommandError } from '../exit.ts';
import { plain } from './words.ts';

export type Member = components['schemas']['ClusterMember'];

/** Fewer characters of an id are more likely a slip than a choice. */
const fewest = 4;

/** All members, from whichever node is asked. */
export async function readMembers(client: Client): Promise<Member[]> {
  const { items } = await client.request<{ items: Member[] }>('GET', '/api/v1/cluster/members');
  return items;
}

/**
 * The member a person means: by id, by name in any case, or by the end or beginning of the id.
 * @throws CommandError when it is none or could be several
 */
export function findMember(members: readonly Member[], wanted: string): Member {
  const low = wanted.toLowerCase();
  const isPart = (id: string) =>
    wanted.length >= fewest && (id.endsWith(wanted) || id.startsWith(wanted));
  const ways: ((member: Member) => boolean)[] = [
    ({ id }) => id === wanted,
    ({ name }) => low !== '' && name.toLowerCase() === low,
    ({ id }) => isPart(id),
  ];
  for (const isMeant of ways) {
    const [found, ...others] = members.filter(isMeant);
    if (found === undefined) continue;
    if (others.length === 0) return found;
    const ids = [found, ...others].map(({ id }) => plain(id)).join(', ');
    throw new CommandError(`"${wanted}" could be each of ${ids}: give the whole id`);
  }
  const known = members.map((member) => label(member, members)).join(', ') || 'none';
  throw new CommandError(`no member is called "${wanted}"; there are: ${known}`);
}

/** An id short enough for a table: its end, as ids made of a time begin alike. */
export const shortId = (id: string): string => plain(id.length <= 12 ? id : id.slice(-8));

/** Its name, with as much of the id as people need where two share one. */
export function label({ id, name }: Member, members: readonly Member[]): string {
  if (name === '') return shortId(id);
  const isOnly = members.filter((one) => one.name === name).length < 2;
  return isOnly ? plain(name) : `${plain(name)} (${shortId(id)})`;
}

/** The same for an id alone; one that is no member any more is named by it. */
export function labelOf(id: string, members: readonly Member[]): string {
  const member = members.find((one) => one.id === id);
  return member === undefined ? shortId(id) : label(member, members);
}
