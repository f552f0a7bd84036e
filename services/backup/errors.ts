/** What can be the matter with a file that is said to be a backup. */
export type BackupFault =
  /** It begins like no backup. */
  | 'foreign'
  /** It is not, or no longer, what was written. */
  | 'damaged'
  /** It was written by a later program. */
  | 'newer'
  /** It is sealed, and no key was given. */
  | 'sealed'
  /** It is sealed, and not for the key that was given. */
  | 'wrong-key'
  /** It may not, or cannot, be done as things are. */
  | 'refused';

/** A backup cannot be made, read or restored; the message is one line for the operator. */
export class BackupError extends Error {
  readonly fault: BackupFault;
  constructor(fault: BackupFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BackupError';
    this.fault = fault;
  }
}
