import { createInterface } from 'node:readline/promises';
import { CommandError, exitCode } from '../exit.ts';

/** How a person is asked; a test answers instead. */
export interface Asker {
  /** Somebody is there to be asked. */
  readonly isTerminal: boolean;
  readonly ask: (question: string) => Promise<string>;
}

/** Asks on standard error: what a command answers with is on standard output. */
export const terminal: Asker = {
  get isTerminal() {
    return process.stdin.isTTY && process.stderr.isTTY;
  },
  async ask(question) {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    try {
      return await Promise.race([lines.question(question), closed]);
    } catch (error) {
      if ((error as Error).name === 'AbortError') return ''; // Ctrl-C is a no
      throw error;
    } finally {
      lines.close();
    }
  },
};

/**
 * Resolves when the plan may be carried out. `show` writes it, at most once.
 * @throws CommandError `unconfirmed` when nobody is there to be asked, or says no
 */
export async function confirm(
  options: { readonly yes: boolean; readonly isJson: boolean; readonly show: () => void },
  { isTerminal, ask }: Asker = terminal,
): Promise<void> {
  const { yes, isJson, show } = options;
  if (yes && isJson) return; // the result alone is the one document
  show();
  if (yes) return;
  if (isJson || !isTerminal) {
    throw new CommandError('nothing was changed: --yes carries this out', exitCode.unconfirmed);
  }
  const answer = await ask('Go on? [y/N] ');
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new CommandError('nothing was changed', exitCode.unconfirmed);
}
