/** What is wrong with a file, a certificate, a token or a data folder. */
export type TrustProblem =
  /** Not what it should be, or not there. */
  | 'unreadable'
  /** Its owner is not the only one who may read it. */
  | 'open-to-others'
  /** Not a certificate that may sign others, or without its key. */
  | 'not-an-authority'
  | 'wrong-authority'
  | 'wrong-cluster'
  | 'wrong-node'
  | 'wrong-key'
  /** The data folder of a witness where one of a node is wanted, or the reverse. */
  | 'wrong-kind'
  | 'expired'
  | 'not-yet-valid'
  /** A request for a certificate that its key did not sign, or that asks for another name. */
  | 'bad-request'
  | 'bad-token'
  | 'bad-id'
  /** Another process uses the data folder. */
  | 'in-use'
  | 'file-system';

/** Says what is wrong, and what a person can do about it. */
export class TrustError extends Error {
  override readonly name = 'TrustError';
  readonly problem: TrustProblem;

  constructor(problem: TrustProblem, message: string, cause?: unknown) {
    super(message, { cause });
    this.problem = problem;
  }
}
