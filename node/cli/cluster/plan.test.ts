import { expect } from 'chai';
import { toStatus } from '../../cluster/json.ts';
import { fakeCluster } from '#test/fakes/cluster-control.ts';
import { changePlan, showPlan, transferPlan, type Change } from './plan.ts';

const status = toStatus(fakeCluster().state.status);
const { members } = status;
const [, attic] = members;
const change: Change = {
  isDone: false,
  steps: ['first', 'then'],
  voters: { before: ['kitchen', 'attic'], after: ['kitchen'] },
  failureTolerance: { before: 0, after: 0 },
  refusal: null,
  ...{ stepNotices: [], refusalNotice: null },
};

describe('cluster commands: plans', () => {
  it('tell steps, votes and tolerance', () => {
    const plan = changePlan('demote', attic!, { change, members });
    expect(plan.refusal).to.equal(undefined);
    expect(showPlan(plan).split('\n')).to.deep.equal([
      'demote attic:',
      '  1. first',
      '  2. then',
      '  voters: kitchen, attic → kitchen',
      '  failure tolerance: 0, as before',
    ]);
  });

  it('tell what force overrides, and what stays as it is', () => {
    const voters = { before: ['kitchen'], after: ['kitchen'] };
    const failureTolerance = { before: 0, after: 1 };
    const forced: Change = { ...change, voters, failureTolerance, refusal: 'too few' };
    const shown = showPlan(changePlan('remove', attic!, { change: forced, members }));
    expect(shown).to.include('voters: kitchen, as before');
    expect(shown).to.include('failure tolerance: 0 → 1');
    expect(shown.split('\n').at(-1)).to.equal('  refused without --force: too few');
  });

  it('of nobody left say so', () => {
    const last: Change = { ...change, voters: { before: ['kitchen'], after: [] } };
    const { lines } = changePlan('remove', attic!, { change: last, members });
    expect(lines).to.include('voters: kitchen → none');
  });

  it('transfer to whom is named', () => {
    const { plan, target } = transferPlan(status, 'attic');
    expect(target?.id).to.equal('attic');
    expect(plan.refusal).to.equal(undefined);
    expect(showPlan(plan)).to.match(/^transfer leadership to attic:\n {2}1\. kitchen, which leads/);
  });

  it('transfer to somebody, if there is one', () => {
    const { plan, target } = transferPlan(status, undefined);
    expect([target, plan.refusal]).to.deep.equal([undefined, undefined]);
    const alone = { ...status, members: members.slice(0, 1) };
    expect(transferPlan(alone, undefined).plan.refusal).to.match(/no other voter; add a node/);
  });

  it('do not transfer to who does not vote, nor from nobody', () => {
    const { refusal } = transferPlan(status, 'cellar').plan;
    expect(refusal).to.equal('cellar does not vote; promote it first');
    expect(() => transferPlan({ ...status, leader: null }, 'attic')).to.throw('nobody leads');
    expect(() => transferPlan(status, 'garage')).to.throw('no member is called "garage"');
  });
});
