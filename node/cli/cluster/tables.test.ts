import { expect } from 'chai';
import { toHealth, toStatus } from '../../cluster/json.ts';
import { plainly } from '#cluster/notices.ts';
import { fakeCluster, fakeMember, fakeStart } from '#test/fakes/cluster-control.ts';
import type { MemberStatus } from '../../cluster/control.ts';
import {
  drainWords,
  showCreated,
  showEvents,
  showHealth,
  showMembers,
  showRules,
  showStatus,
  showTokens,
} from './tables.ts';

const now = fakeStart + 3_660_000;
const status = (members?: MemberStatus[], more: object = {}) =>
  toStatus({ ...fakeCluster(members).state.status, ...more });
const columns = (line = '') => line.split(/ {2,}/).map((cell) => cell.trim());

describe('cluster commands: tables', () => {
  it('show members in the columns that operators know', () => {
    const lines = showMembers(status().members, now).split('\n');
    expect(lines.map(columns)).to.deep.equal([
      [
        ...['NODE', 'ID', 'ADDRESS', 'ROLE', 'VOTER', 'STATE', 'CONTACT', 'INDEX', 'LAG'],
        ...['VERSION', 'STABLE'],
      ],
      ...[
        ['kitchen', 'kitchen', 'kitchen:7000', 'leader', 'yes', 'alive', '40ms', '100', '0'],
        ['attic', 'attic', 'attic:7000', 'follower', 'yes', 'alive', '40ms', '100', '0'],
        ['cellar', 'cellar', 'cellar:7000', 'learner', 'no', 'alive', '40ms', '100', '0'],
      ].map((row) => [...row, '0.1.0', '1h 1m']),
    ]);
  });

  it('say what is wrong with whom, below', () => {
    const members = [
      fakeMember({ id: 'a', kind: 'witness', isDraining: true }),
      fakeMember({ id: 'b', state: 'silent', problem: plainly('no contact for 5 s') }),
    ];
    const lines = showMembers(status(members).members, now).split('\n');
    expect(columns(lines[1])).to.include('follower (witness)').and.include('alive, draining');
    expect(lines.slice(3)).to.deep.equal(['', 'b: no contact for 5 s']);
  });

  it('write a dash for what is not known', () => {
    const [member] = status([fakeMember({ id: 'a' })]).members;
    const unknown = {
      ...member!,
      ...{ lastContactMs: null, lastIndex: null, lag: null, stableSince: null },
      addresses: { raft: [], rpc: [], api: [] },
    };
    expect(columns(showMembers([unknown], now).split('\n')[1])).to.deep.equal([
      ...['a', 'a', '–', 'follower', 'yes', 'alive', '–', '–', '–', '0.1.0', '–'],
    ]);
  });

  it('let no member draw on the terminal', () => {
    const problem = plainly('p\u0007');
    const nasty = fakeMember({ id: 'a', name: 'x\u001b[2J', version: '\r9', problem });
    const shown = showStatus(status([nasty], { notes: [plainly('n\u001b]0;t')] }), now);
    expect(shown.replaceAll('\n', '')).to.not.match(/\p{Cc}/u);
  });

  it('show the whole, with the notes last', () => {
    const shown = showStatus(status(), now).split('\n');
    expect(shown).to.include.members([
      'healthy:            yes',
      'failure tolerance:  0 (if a voter fails, changes may have to wait)',
      'leader:             kitchen',
      'term:               7',
      'index:              4294967396 (log: 100 applied of 100)',
      'asked:              kitchen, knows it as of 12ms ago',
      'cluster:            home, epoch 1',
    ]);
    expect(shown.at(-1)).to.equal('Attic has been silent once.');
    expect(shown.join('\n')).to.not.include('cluster init');
  });

  it('say of a node alone that it is, and how it is opened', () => {
    const alone = (note: string) =>
      showStatus(status(undefined, { isOpen: false, notes: [plainly(note)] }), now);
    expect(alone('Another.').split('\n').slice(-2)).to.deep.equal([
      'This node is alone, and no other can join it. To open it to others: revenge cluster init',
      'Another.',
    ]);
    const said = alone('alone: `revenge cluster init` opens it');
    expect(said.match(/cluster init/g)).to.have.length(1);
    const fresh = { isOpen: false, clusterId: undefined, leader: undefined, ageMs: Infinity };
    const unborn = showStatus(status([], fresh), now);
    expect(unborn).to.include('none yet, epoch 1').and.include('has heard of no leader yet');
    expect(unborn).to.match(/leader: +none/);
  });

  it('are short about health', () => {
    const members = [
      fakeMember({ id: 'a', role: 'leader' }),
      fakeMember({ id: 'b', problem: plainly('p') }),
    ];
    const cluster = fakeCluster(members).state.status;
    const shown = showHealth(toHealth({ ...cluster, isHealthy: false, failureTolerance: 1 }));
    expect(shown.split('\n').map(columns)).to.deep.include.members([
      ['b', 'b', 'yes', 'p'],
      ['healthy:', 'no'],
      ['failure tolerance:', '1'],
      ['leader:', 'a'],
    ]);
  });

  it('show events, oldest first', () => {
    const items = [
      {
        ...{ at: '2026-01-02T03:04:05.678Z', kind: 'leader' as const, message: 'a leads\nb' },
        ...{ code: 'leads' as const, values: {} },
      },
    ];
    expect(columns(showEvents({ items }).split('\n')[1])).to.deep.equal([
      ...['2026-01-02T03:04:05.678Z', 'leader', 'a leads?b'],
    ]);
    expect(showEvents({ items: [] })).to.equal('none');
  });
});

const token = {
  ...{ id: 'mfrggzdf', kind: 'node' as const, createdBy: 'anna', usesLeft: 1 },
  createdAt: '2026-01-02T03:04:05.678Z',
  expiresAt: '2026-01-02T05:04:05.678Z' as string | null,
};
const created = { ...token, token: 'rj1.a.b.c', addresses: ['10.0.0.1:7001', 'h:7001'] };

describe('cluster commands: tokens and rules', () => {
  it('list tokens with what is left of them', () => {
    const tokens = [
      token,
      { ...token, expiresAt: null, usesLeft: null },
      { ...token, expiresAt: token.createdAt },
    ];
    const rows = showTokens(tokens, now).split('\n').slice(1).map(columns);
    expect(rows.map((row) => row.slice(0, 4))).to.deep.equal([
      ['mfrggzdf', 'node', '1', 'in 59m'],
      ['mfrggzdf', 'node', 'any', 'never'],
      ['mfrggzdf', 'node', '1', 'expired'],
    ]);
  });

  it('show a new token alone on its line, and what to type', () => {
    const shown = showCreated(created).split('\n');
    expect(shown[0]).to.equal('rj1.a.b.c');
    expect(shown).to.include('  revenge serve --join 10.0.0.1:7001 --token rj1.a.b.c');
    expect(shown.join('\n')).to.include('admits one node within 2h,').and.include('h:7001');
  });

  it('word what else a token may be', () => {
    const endless = { ...created, expiresAt: null, usesLeft: null, kind: 'witness' as const };
    expect(showCreated(endless)).to.include('any number of witnesses until it is revoked');
    const three = showCreated({ ...created, usesLeft: 3, addresses: [] });
    expect(three).to.include('3 nodes within').and.include('--join HOST:PORT --token');
  });

  it('show the rules by the names they are set by', () => {
    const rules = { ...fakeCluster().state.autopilot, deadAfterMs: null };
    const rows = showRules(rules).split('\n').slice(1).map(columns);
    expect(rows.map((row) => row.slice(0, 2))).to.deep.equal([
      ['promote', 'yes'],
      ['cleanup', 'yes'],
      ['last-contact', '2s'],
      ['max-trailing', '250'],
      ['stabilization', '10s'],
      ['dead-after', 'never'],
      ['max-voters', '5'],
    ]);
    expect(showRules({ ...rules, deadAfterMs: 86_400_000 })).to.match(/dead-after +1d/);
  });

  it('say who takes work', () => {
    const { members } = status();
    const [member] = members;
    expect(drainWords({ ...member!, isDraining: true }, members)).to.match(/no new work/);
    expect(drainWords(member!, members)).to.equal('kitchen takes work again');
  });
});
