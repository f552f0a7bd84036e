import { expect } from 'chai';
import fc from 'fast-check';
import { changedConfiguration } from '#cluster/raft/core/configuration.ts';
import type { Configuration } from '#cluster/raft/core/types.ts';
import type { AutopilotConfig } from '#cluster/state/types.ts';
import { decide, replacedAfterMs } from './decide.ts';
import { exampleKnown, type ExampleServer } from './examples.ts';
import type { Action, Known } from './types.ts';

/** A cluster whose servers stay as they are while autopilot changes who votes. */
interface World {
  readonly servers: readonly ExampleServer[];
  readonly leader: string;
  readonly config: Partial<AutopilotConfig>;
}

const isSilent = ({ silentForMs }: ExampleServer) => silentForMs !== undefined;
const isVoter = ({ suffrage }: ExampleServer) => suffrage === 'voter';
const votersOf = ({ servers }: World) => servers.filter(isVoter);

function hasQuorum(world: World): boolean {
  const voters = votersOf(world);
  return voters.filter((one) => !isSilent(one)).length > voters.length / 2;
}

function knownOf({ servers, leader, config }: World): Known {
  const first = servers.filter(({ id }) => id === leader);
  return exampleKnown([...first, ...servers.filter(({ id }) => id !== leader)], config);
}

/** What the core makes of the action. @throws if it would refuse it */
function perform(world: World, { kind, id }: Action): World {
  if (kind === 'transfer') return { ...world, leader: id };
  const servers = world.servers.flatMap(({ suffrage, ...server }) =>
    suffrage === 'absent' || suffrage === undefined
      ? []
      : [{ id: server.id, address: `${server.id}:1`, suffrage }],
  );
  const change = {
    add: 'addNonvoter',
    promote: 'addVoter',
    demote: 'demoteVoter',
    remove: 'removeServer',
  } as const;
  const wanted = { kind: change[kind], id, address: `${id}:1` };
  const changed = changedConfiguration({ servers }, wanted);
  if (!('configuration' in changed)) throw new Error(changed.detail);
  return { ...world, servers: after(world, changed.configuration, kind === 'remove' ? id : '') };
}

function after(world: World, { servers }: Configuration, gone: string): ExampleServer[] {
  return world.servers
    .filter(({ id }) => id !== gone)
    .map((server) => {
      const now = servers.find(({ id }) => id === server.id);
      return { ...server, suffrage: now?.suffrage ?? 'absent' };
    });
}

/** Asks until there is nothing to do; every step is one that a careful operator could take. */
function settle(start: World): World {
  let world = start;
  for (let round = 0; round < 40; round += 1) {
    const { actions } = decide(knownOf(world));
    expect(actions.length).to.be.at.most(1);
    const [action] = actions;
    if (!action) return world;
    const about = JSON.stringify({ world, action });
    if (action.kind !== 'transfer') expect(action.id, about).to.not.equal(world.leader);
    else expect(world.servers.find(({ id }) => id === action.id)?.kind, about).to.equal('node');
    const next = perform(world, action);
    expect(hasQuorum(next), about).to.equal(true);
    const votes = votersOf(next).length - votersOf(world).length;
    expect(Math.abs(votes), about).to.be.at.most(1);
    world = next;
  }
  throw new Error(`it does not come to rest: ${JSON.stringify(start)}`);
}

const silences = fc.constantFrom(5000, 60_000, replacedAfterMs, 2 * 24 * 3600 * 1000);
const server = fc.record({
  suffrage: fc.constantFrom('voter' as const, 'nonvoter' as const, 'absent' as const),
  kind: fc.constantFrom('node' as const, 'node' as const, 'witness' as const),
  membership: fc.constantFrom(...(['member', 'member', 'member', 'retired', 'stranger'] as const)),
  behind: fc.constantFrom(0, 0, 0, 100, 1000),
  healthyForMs: fc.constantFrom(60_000, 60_000, 20_000, 5),
  isDraining: fc.constantFrom(false, false, false, true),
  silentForMs: fc.option(silences, { nil: undefined, freq: 3 }),
});

const config = fc.record({
  maxVoters: fc.constantFrom(1, 3, 5, 5, 7),
  cleanup: fc.boolean(),
  promote: fc.constantFrom(true, true, true, false),
  deadAfterMs: fc.constantFrom(undefined, 24 * 3600 * 1000),
});

type Drawn = Omit<ExampleServer, 'id' | 'silentForMs'> & { silentForMs: number | undefined };

const named = (servers: readonly Drawn[]) =>
  servers.map((one, at): ExampleServer => {
    const { silentForMs, ...rest } = one;
    // Servers nobody knows are only in Raft, and nobody knows them for witnesses.
    const isOdd = one.membership !== 'member';
    const suffrage = isOdd && one.suffrage === 'absent' ? 'nonvoter' : one.suffrage;
    const kind = isOdd ? 'node' : one.kind;
    const server = { ...rest, id: 'abcdefghi'.charAt(at), suffrage, kind } as ExampleServer;
    return silentForMs === undefined ? server : { ...server, silentForMs };
  });

/** Any configuration that has a leader, however odd it is otherwise. */
const anyWorld: fc.Arbitrary<World> = fc
  .record({ servers: fc.array(server, { minLength: 1, maxLength: 9 }), config })
  .map((given) => ({ ...given, servers: named(given.servers) }))
  .map((world) => {
    const leader = votersOf({ ...world, leader: '' }).find((one) => !isSilent(one));
    return { ...world, leader: leader?.id ?? '' };
  })
  .filter((world) => world.leader !== '' && hasQuorum(world));

/** All are members and well, only who votes is not as it should be. */
const healthyWorld: fc.Arbitrary<World> = anyWorld
  .map((world) => ({
    ...world,
    config: { maxVoters: 5 },
    servers: world.servers.map(
      ({ id, suffrage, kind }): ExampleServer => ({ id, suffrage, kind }) as ExampleServer,
    ),
  }))
  .filter(
    ({ servers, leader }) =>
      hasQuorum({ servers, leader, config: {} }) && servers.some(({ kind }) => kind === 'node'),
  );

describe('autopilot, asked again and again', () => {
  it('comes to rest from anywhere, by steps that keep a quorum and the leader', () => {
    fc.assert(
      fc.property(anyWorld, (start) => {
        settle(start);
      }),
      { numRuns: 2000 },
    );
  });

  it('ends with 1, 3 or 5 voters, nodes before witnesses, and a node that leads', () => {
    fc.assert(
      fc.property(healthyWorld, (start) => {
        const end = settle(start);
        const nodes = end.servers.filter(({ kind }) => kind === 'node').length;
        const potential = nodes + Math.min(end.servers.length - nodes, nodes - 1);
        const table = [0, 1, 1, 3, 3];
        const voters = votersOf(end);
        expect(voters.length).to.equal(table[potential] ?? 5);
        const witnesses = voters.filter(({ kind }) => kind === 'witness').length;
        expect(voters.length - witnesses).to.equal(Math.min(nodes, voters.length));
        expect(end.servers.find(({ id }) => id === end.leader)?.kind).to.equal('node');
        expect(end.servers.some(({ suffrage }) => suffrage === 'absent')).to.equal(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves no vote with the dead while a node is ready for it', () => {
    fc.assert(
      fc.property(anyWorld, (start) => {
        const end = settle({ ...start, config: { maxVoters: 5 } });
        const ready = end.servers.some(
          (one) =>
            one.suffrage === 'nonvoter' &&
            one.kind === 'node' &&
            one.membership === 'member' &&
            !isSilent(one) &&
            one.behind === 0 &&
            one.healthyForMs === 60_000 &&
            !one.isDraining,
        );
        const isDead = ({ silentForMs = 0 }: ExampleServer) => Number(silentForMs) >= 60_000;
        const leads = end.servers.find(({ id }) => id === end.leader);
        if (!ready || leads?.kind !== 'node' || leads.membership !== 'member') return;
        expect(votersOf(end).filter(isDead), JSON.stringify(end)).to.deep.equal([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('decides the same in whatever order it is told', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const known = knownOf(world);
        const servers = [...known.configuration.servers].reverse();
        const peers = new Map([...known.peers].reverse());
        const members = new Map([...known.view.members].reverse());
        const turned = { ...known, configuration: { servers }, peers };
        const other = decide({ ...turned, view: { ...known.view, members } });
        expect(other.actions).to.deep.equal(decide(known).actions);
      }),
    );
  });
});
