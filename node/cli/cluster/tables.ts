import type { components } from '#api/types.ts';
import { table } from '../output.ts';
import { label, labelOf, shortId, type Member } from './members.ts';
import { plain, showDuration, yesNo } from './words.ts';

type Schemas = components['schemas'];
type Status = Schemas['ClusterStatus'];

/** What people see; pure. `now` is milliseconds since 1970. */

const since = (time: string, now: number) => showDuration(Math.max(0, now - Date.parse(time)));

/** Members, one a line; below them what is wrong with which. */
export function showMembers(members: readonly Member[], now: number): string {
  const rows = members.map((member) => {
    const { raft, rpc, api } = member.addresses;
    const { lastContactMs, stableSince } = member;
    const address = raft[0] ?? rpc[0] ?? api[0];
    return [
      ...[plain(member.name), shortId(member.id), address === undefined ? null : plain(address)],
      member.kind === 'witness' ? `${member.role} (witness)` : member.role,
      yesNo(member.isVoter),
      stateWords(member),
      lastContactMs === null ? null : showDuration(lastContactMs),
      ...[member.lastIndex, member.lag, plain(member.version)],
      stableSince === null ? null : since(stableSince, now),
    ];
  });
  const head = ['NODE', 'ID', 'ADDRESS', 'ROLE', 'VOTER', 'STATE', 'CONTACT', 'INDEX', 'LAG'];
  const wrong = problemsOf(members, members);
  return [table([...head, 'VERSION', 'STABLE'], rows), ...gap(wrong)].join('\n');
}

function stateWords({ state, isDraining, work }: Member): string {
  if (!isDraining) return state;
  return `${state}, draining${work === null ? '' : ` (${workWords(work)})`}`;
}

/** What is left to do before a drained member may be stopped without anybody noticing. */
export function workWords({ jobs, streams }: NonNullable<Member['work']>): string {
  if (jobs === 0 && streams === 0) return 'idle';
  return `${jobs} ${jobs === 1 ? 'job' : 'jobs'}, ${streams} ${streams === 1 ? 'stream' : 'streams'}`;
}

type Troubled = Pick<Member, 'id' | 'problem'>;

const problemsOf = (troubled: readonly Troubled[], members: readonly Member[]) =>
  troubled.flatMap(({ id, problem }) =>
    problem === null ? [] : [plain(`${labelOf(id, members)}: ${problem}`)],
  );

const gap = (lines: readonly string[]) => (lines.length === 0 ? [] : ['', ...lines]);

/** The whole of it: members, how they are together, and what to do. */
export function showStatus(status: Status, now: number): string {
  const { members } = status;
  const lines = [
    `healthy:            ${yesNo(status.isHealthy)}`,
    `failure tolerance:  ${tolerance(status.failureTolerance)}`,
    `leader:             ${status.leader === null ? 'none' : labelOf(status.leader, members)}`,
    `term:               ${status.term}`,
    `index:              ${status.index} (log: ${status.applied} applied of ${status.commit})`,
    `asked:              ${asked(status)}`,
    `cluster:            ${status.clusterId ?? 'none yet'}, epoch ${status.epoch}`,
  ].map(plain);
  const notes = [...aloneWords(status), ...status.notes].map(plain);
  return [showMembers(members, now), ...gap(lines), ...gap(notes)].join('\n');
}

const opener = 'revenge cluster init';

/** A node alone is no broken cluster: it says so, and how to make it one of several. */
function aloneWords({ isOpen, notes }: Status): string[] {
  if (isOpen || notes.some((note) => note.includes(opener))) return [];
  return [`This node is alone, and no other can join it. To open it to others: ${opener}`];
}

const tolerance = (count: number) =>
  count === 0 ? '0 (if a voter fails, changes may have to wait)' : String(count);

function asked({ nodeId, members, ageMs }: Status): string {
  const age =
    ageMs === null ? 'has heard of no leader yet' : `knows it as of ${showDuration(ageMs)} ago`;
  return `${labelOf(nodeId, members)}, ${age}`;
}

/** Short: well or not, and what is wrong with whom. */
export function showHealth(health: Schemas['ClusterHealth']): string {
  const { members, leader } = health;
  const name = (id: string) => members.find((one) => one.id === id)?.name ?? shortId(id);
  const rows = members.map((one) => [
    ...[plain(one.name), shortId(one.id), yesNo(one.isHealthy)],
    one.problem === null ? null : plain(one.problem),
  ]);
  const lines = [
    `healthy:            ${yesNo(health.isHealthy)}`,
    `failure tolerance:  ${tolerance(health.failureTolerance)}`,
    `leader:             ${leader === null ? 'none' : plain(name(leader))}`,
  ];
  const below = [...gap(lines), ...gap(health.notes.map(plain))];
  return [table(['NODE', 'ID', 'HEALTHY', 'PROBLEM'], rows), ...below].join('\n');
}

/** What happened, oldest first. */
export function showEvents({ items }: Schemas['ClusterEventList']): string {
  const rows = items.map(({ at, kind, message }) => [at, plain(kind), plain(message)]);
  return table(['WHEN', 'WHAT', 'DETAIL'], rows);
}

/** Tokens without their secrets. */
export function showTokens(tokens: readonly Schemas['ClusterToken'][], now: number): string {
  const rows = tokens.map(({ id, kind, usesLeft, expiresAt, createdAt, createdBy }) => [
    ...[id, kind, usesLeft ?? 'any'],
    expiryOf(expiresAt, now),
    ...[createdAt, plain(createdBy)],
  ]);
  return table(['ID', 'ADMITS', 'USES LEFT', 'EXPIRES', 'CREATED', 'BY'], rows);
}

function expiryOf(expiresAt: string | null, now: number): string {
  if (expiresAt === null) return 'never';
  const left = Date.parse(expiresAt) - now;
  return left <= 0 ? 'expired' : `in ${showDuration(left)}`;
}

/** A new token: the line itself alone, so that it can be copied, then what to do with it. */
export function showCreated(created: Schemas['CreatedClusterToken']): string {
  const { token, addresses, kind, usesLeft, expiresAt } = created;
  const lifeMs = expiresAt === null ? 0 : Date.parse(expiresAt) - Date.parse(created.createdAt);
  const [first = 'HOST:PORT', ...others] = addresses;
  const whom = usesLeft === 1 ? `one ${kind}` : `${usesLeft ?? 'any number of'} ${pluralOf(kind)}`;
  const until = expiresAt === null ? 'until it is revoked' : `within ${showDuration(lifeMs)}`;
  return [
    ...[token, '', `It admits ${whom} ${until}, and is shown this once. On the new machine:`],
    ...['', `  revenge ${kind === 'witness' ? kind : 'serve'} --join ${first} --token ${token}`],
    ...(others.length === 0 ? [] : ['', `If ${first} cannot be reached: ${others.join(', ')}`]),
    ...(addresses.length > 0 ? [] : ['', 'HOST:PORT is this node, as the other one reaches it.']),
  ].join('\n');
}

const pluralOf = (kind: string) => (kind === 'witness' ? 'witnesses' : `${kind}s`);

/** The rules of promotion and removal, as `autopilot set` takes them. */
export function showRules(rules: Schemas['ClusterAutopilot']): string {
  return table(
    ['RULE', 'VALUE', 'MEANING'],
    [
      ['promote', yesNo(rules.promote), 'let members vote that are caught up'],
      ['cleanup', yesNo(rules.cleanup), "give a dead member's vote to another"],
      ['last-contact', showDuration(rules.lastContactMs), 'no contact for so long: not healthy'],
      ['max-trailing', rules.maxTrailingEntries, 'more entries behind: not healthy'],
      ['stabilization', showDuration(rules.stabilizationMs), 'healthy so long before it may vote'],
      [
        'dead-after',
        rules.deadAfterMs === null ? 'never' : showDuration(rules.deadAfterMs),
        'dead for so long: removed without a replacement',
      ],
      ['max-voters', rules.maxVoters, 'voters at most; odd'],
    ],
  );
}

/** One line on who may not work. */
export function drainWords(member: Member, members: readonly Member[]): string {
  const name = plain(label(member, members));
  return member.isDraining
    ? `${name} takes no new work; what it has it finishes`
    : `${name} takes work again`;
}
