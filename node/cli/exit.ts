/** What the command's exit code means; documented in docs/operations.md. */
export const exitCode = {
  ok: 0,
  /** The command was understood and could not be carried out. */
  failed: 1,
  /** The command line is not valid. */
  usage: 2,
  /** A plan was shown and not agreed to: nothing was changed. */
  unconfirmed: 4,
  /** No node or no database answers. */
  unavailable: 69,
  /** Not signed in, or not permitted. */
  forbidden: 77,
  /** The configuration is not valid. */
  config: 78,
} as const;

/** A failure of a command: one line for the person, and the exit code. */
export class CommandError extends Error {
  readonly exit: number;
  constructor(message: string, exit: number = exitCode.failed) {
    super(message);
    this.name = 'CommandError';
    this.exit = exit;
  }
}
