import type { Command } from 'commander';
import type { Client } from './client.ts';
import { CommandError } from './exit.ts';
import { open, readAll } from './open.ts';
import { table } from './output.ts';
import { readPassword } from './password.ts';

interface User {
  id: string;
  username: string;
  displayName: string | null;
  role: string;
  disabled: boolean;
  createdAt: string;
}

async function find(client: Client, username: string): Promise<User> {
  const wanted = username.toLowerCase();
  const user = (await readAll<User>(client, '/api/v1/users')).find(
    (one) => one.username.toLowerCase() === wanted,
  );
  if (user === undefined) throw new CommandError(`no user is called "${username}"`);
  return user;
}

const showUsers = (users: readonly User[]) =>
  table(
    ['NAME', 'ROLE', 'STATE', 'SINCE', 'ID'],
    users.map((user) => [
      user.username,
      user.role,
      user.disabled ? 'disabled' : 'enabled',
      user.createdAt.slice(0, 10),
      user.id,
    ]),
  );

/** `revenge user list | create | password | disable | enable | delete`. */
export function addUser(program: Command): void {
  const user = program.command('user').description('look after the people who sign in');
  user
    .command('list')
    .description('everybody who may sign in')
    .action(async (_options, command: Command) => {
      const { client, output } = await open(command);
      const users = await readAll<User>(client, '/api/v1/users');
      output.result({ items: users }, () => showUsers(users));
    });
  user
    .command('create <name>')
    .description('add a person')
    .option('--role <role>', 'admin or user', 'user')
    .option('--password-file <file>', 'file with the password; - is standard input')
    .action(async (name: string, options: CreateOptions, command: Command) => {
      const { client, output } = await open(command);
      const password = await readPassword(options.passwordFile);
      const body = { username: name, password, role: options.role };
      const created = await client.request<User>('POST', '/api/v1/users', body);
      output.result(created, () => showUsers([created]));
    });
  addChanges(user);
}

interface CreateOptions {
  role: string;
  passwordFile?: string;
}

function addChanges(user: Command): void {
  user
    .command('password <name>')
    .description('give a new password; ends all of the sessions')
    .option('--password-file <file>', 'file with the password; - is standard input')
    .action(async (name: string, options: { passwordFile?: string }, command: Command) => {
      const { client, output } = await open(command);
      const { id } = await find(client, name);
      const password = await readPassword(options.passwordFile);
      await client.request('PUT', `/api/v1/users/${id}/password`, { password });
      output.result({ id }, () => `${name} has a new password; all sessions are ended`);
    });
  for (const [verb, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const) {
    user
      .command(`${verb} <name>`)
      .description(disabled ? 'refuse sign-in and end all sessions' : 'let in again')
      .action(async (name: string, _options, command: Command) => {
        const { client, output } = await open(command);
        const { id } = await find(client, name);
        const changed = await client.request<User>('PATCH', `/api/v1/users/${id}`, { disabled });
        output.result(changed, () => showUsers([changed]));
      });
  }
  user
    .command('delete <name>')
    .description('remove a person with sessions, keys and watch state')
    .requiredOption('--yes', 'I know that the watch state goes too')
    .action(async (name: string, _options, command: Command) => {
      const { client, output } = await open(command);
      const { id } = await find(client, name);
      await client.request('DELETE', `/api/v1/users/${id}`);
      output.result({ id }, () => `${name} is deleted`);
    });
}
