import type { Command } from 'commander';
import type { components } from '#api/types.ts';
import { CommandError } from '../exit.ts';
import { open, withQuery } from '../open.ts';
import { confirm } from './confirm.ts';
import { findMember, label, labelOf, readMembers, type Member } from './members.ts';
import { changePlan, showPlan, transferPlan, type Change } from './plan.ts';
import { untilIdle } from './drain.ts';
import { drainWords } from './tables.ts';
import { parseDuration } from './words.ts';

type Status = components['schemas']['ClusterStatus'];

interface ChangeOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

const verbs = [
  ['promote', 'promoted', 'let a member vote'],
  ['demote', 'demoted', "take a member's vote; it goes on to follow and to serve"],
  ['remove', 'removed', 'remove a member for good; its id never comes back'],
] as const;

const path = (member: Member, verb: string) =>
  `/api/v1/cluster/members/${encodeURIComponent(member.id)}/${verb}`;

/** `revenge cluster promote | demote | remove | transfer | drain | undrain`. */
export function addChanges(cluster: Command): void {
  for (const verb of verbs) addChange(cluster, verb);
  addTransfer(cluster);
  addDrain(cluster);
  addUndrain(cluster);
}

function addChange(cluster: Command, [verb, done, description]: (typeof verbs)[number]): void {
  cluster
    .command(`${verb} <member>`)
    .description(description)
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only tell what would be done')
    .option('--force', 'do it although it is refused; may cost the quorum')
    .action(async (wanted: string, options: ChangeOptions, command: Command) => {
      const { yes = false, force = false, dryRun = false } = options;
      const { client, output } = await open(command);
      const members = await readMembers(client);
      const member = findMember(members, wanted);
      const body = { force };
      const dry = withQuery(path(member, verb), { dryRun: 'true' });
      const change = await client.request<Change>('POST', dry, body);
      const plan = changePlan(verb, member, { change, members });
      const show = () => output.result(change, () => showPlan(plan));
      if (dryRun) return show();
      if (plan.refusal !== undefined && !force) {
        throw new CommandError(`not ${done}: ${plan.refusal}`);
      }
      await confirm({ yes, isJson: output.isJson, show });
      const made = await client.request<Change>('POST', path(member, verb), body);
      output.result(made, () => `${label(member, members)} is ${done}`);
    });
}

function addTransfer(cluster: Command): void {
  cluster
    .command('transfer [member]')
    .description('hand leadership to a member, or to the one that is furthest')
    .option('--yes', 'do not ask')
    .action(async (wanted: string | undefined, options: ChangeOptions, command: Command) => {
      const { client, output } = await open(command);
      const status = await client.request<Status>('GET', '/api/v1/cluster');
      const { plan, target } = transferPlan(status, wanted);
      if (target !== undefined && target.id === status.leader) {
        const name = label(target, status.members);
        return output.result({ leader: target.id }, () => `${name} leads already`);
      }
      if (plan.refusal !== undefined) throw new CommandError(`not transferred: ${plan.refusal}`);
      const show = () => output.result(plan, () => showPlan(plan));
      await confirm({ yes: options.yes ?? false, isJson: output.isJson, show });
      const body = target === undefined ? {} : { to: target.id };
      const path = '/api/v1/cluster/transfer';
      const made = await client.request<{ leader: string }>('POST', path, body);
      output.result(made, () => `${labelOf(made.leader, status.members)} leads`);
    });
}

interface DrainOptions {
  readonly wait?: boolean;
  readonly timeout: string;
}

function addDrain(cluster: Command): void {
  cluster
    .command('drain <member>')
    .description('give a member no new work, over its restarts too')
    .option('--wait', 'return once it leads no more, and works off and streams nothing')
    .option('--timeout <duration>', 'with --wait: for how long at most', '10m')
    .action(async (wanted: string, options: DrainOptions, command: Command) => {
      const timeoutMs = parseDuration(options.timeout, '--timeout');
      const { client, output } = await open(command);
      const members = await readMembers(client);
      const member = findMember(members, wanted);
      const drained = await client.request<Member>('POST', path(member, 'drain'));
      if (options.wait !== true) {
        return output.result(drained, () => drainWords(drained, members));
      }
      const watch = { client, output, name: label(member, members), timeoutMs };
      const idle = await untilIdle(drained, watch);
      output.result(idle, () => `${watch.name} is idle: it may be stopped`);
    });
}

function addUndrain(cluster: Command): void {
  cluster
    .command('undrain <member>')
    .description('let a member take work again')
    .action(async (wanted: string, _options, command: Command) => {
      const { client, output } = await open(command);
      const members = await readMembers(client);
      const found = findMember(members, wanted);
      const changed = await client.request<Member>('POST', path(found, 'undrain'));
      output.result(changed, () => drainWords(changed, members));
    });
}
