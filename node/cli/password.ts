import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { CommandError, exitCode } from './exit.ts';

/**
 * The password of a file (`-` is standard input; one line break at the end is not part of it), or
 * asked for twice on a terminal without showing it.
 */
export async function readPassword(file: string | undefined): Promise<string> {
  if (file !== undefined) return fromFile(file);
  if (!process.stdin.isTTY) {
    throw new CommandError('give the password with --password-file FILE (or -)', exitCode.usage);
  }
  const first = await ask('Password: ');
  const second = await ask('Again: ');
  if (first !== second) throw new CommandError('the two passwords differ', exitCode.usage);
  return first;
}

function fromFile(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(`cannot read ${file} (${code})`, exitCode.usage);
  }
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  // Written to nowhere: readline would echo what is typed.
  const terminal = createInterface({ input: process.stdin, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
