import type { HandlersOf } from '#api/handler.ts';
import { problem, problems, type ProblemCode } from '#services/errors.ts';

/** What each problem means and what to do about it, for people; a code without a text is an error. */
export const problemTexts = {
  'bad-request': {
    meaning: 'Something in the request is not as the API describes it.',
    remedy: 'See `errors`: each names the field and what is wrong with it.',
  },
  'invalid-cursor': {
    meaning: 'The cursor was cut, changed, or belongs to another list or order.',
    remedy: 'Start again from the first page, without a cursor.',
  },
  unauthenticated: {
    meaning: 'The request carries no proof of who is calling.',
    remedy: 'Sign in, and send the access token as `Authorization: Bearer …`, or an API key.',
  },
  'invalid-credentials': {
    meaning: 'The user name or the password is wrong; which of them is not told.',
    remedy: 'Try again, or ask an administrator for a new password.',
  },
  'token-expired': {
    meaning: 'The access token or the signed address has lived its time.',
    remedy: 'Ask for a new one with the refresh token; clients do so by themselves.',
  },
  'token-invalid': {
    meaning: 'The token is not one of this server, or its session has ended.',
    remedy: 'Sign in again.',
  },
  'token-reused': {
    meaning: 'A refresh token came a second time: either a copy was used, or an answer got lost.',
    remedy: 'Sign in again. If this happens often, look at your list of sessions.',
  },
  'account-disabled': {
    meaning: 'An administrator has disabled this account.',
    remedy: 'Ask an administrator.',
  },
  forbidden: {
    meaning: 'You are known, but this is not permitted to you.',
    remedy: 'Ask an administrator for the permission that `detail` names.',
  },
  'setup-required': {
    meaning: 'The server is new and has no administrator.',
    remedy: 'Open the server in a browser and create the first account.',
  },
  'setup-done': {
    meaning: 'The first account exists already.',
    remedy: 'Sign in with it; further accounts are made by an administrator.',
  },
  'not-found': {
    meaning: 'There is nothing of this name, or nothing that you may know of.',
    remedy: 'Check the address; the item may have been deleted.',
  },
  'method-not-allowed': {
    meaning: 'The path exists, but not with this method.',
    remedy: 'See the header `Allow`.',
  },
  'not-acceptable': {
    meaning: 'No form of the answer fits the `Accept` header.',
    remedy: 'Accept `application/json`, or what the operation describes.',
  },
  'too-slow': {
    meaning: 'The request did not arrive in time, or too little of it came for too long.',
    remedy: 'Send it again over a better line.',
  },
  conflict: {
    meaning: 'The change does not fit what is there now, such as a name that is taken.',
    remedy: 'Read the current state and decide again.',
  },
  gone: {
    meaning: 'It was here, and will not come back.',
    remedy: 'Remove your reference to it.',
  },
  'precondition-failed': {
    meaning: 'Somebody else has changed the item since you read it.',
    remedy: 'Read it again, and repeat your change on the new state.',
  },
  'too-large': {
    meaning: 'The body of the request is larger than the server takes.',
    remedy: 'Send less at once.',
  },
  'unsupported-media-type': {
    meaning: 'The body has a type, an encoding or a coding the operation does not take.',
    remedy: 'Send `application/json` in UTF-8, uncompressed.',
  },
  'range-not-satisfiable': {
    meaning: 'The part asked for lies behind the end of the file.',
    remedy: 'See the size in `Content-Range` and ask again.',
  },
  unprocessable: {
    meaning: 'The request is well formed, but cannot be carried out as things are.',
    remedy: 'See `detail`.',
  },
  'too-many-requests': {
    meaning: 'More requests than the server takes from one address, session or user.',
    remedy: 'Wait as long as `Retry-After` says.',
  },
  internal: {
    meaning: 'A fault of the server. It has been logged.',
    remedy: 'Give an administrator the `instance` of the answer: it finds the entry in the log.',
  },
  unavailable: {
    meaning: 'Something the operation needs is away at the moment.',
    remedy: 'Try again after `Retry-After`; an administrator sees what it is under health.',
  },
  'database-unavailable': {
    meaning: 'PostgreSQL does not answer. What was cached is still served.',
    remedy: 'Try again after `Retry-After`; an administrator checks PostgreSQL.',
  },
  'media-unavailable': {
    meaning: 'The share or disk with the media does not answer. Nothing has been deleted.',
    remedy: 'An administrator checks the mount; then try again.',
  },
  'tool-missing': {
    meaning: 'The operation needs a program, such as ffmpeg, that is not installed.',
    remedy: 'An administrator installs it; `detail` names it.',
  },
  'no-leader': {
    meaning: 'The nodes of the cluster have no majority, so nothing can be changed. Reading works.',
    remedy: 'Try again after `Retry-After`; if it lasts, an administrator checks the nodes.',
  },
  'not-leader': {
    meaning:
      'A node of the cluster was asked to do what only the leader may. Clients never see this.',
    remedy: 'None is needed: the node that asked looks for the leader again.',
  },
  'outcome-unknown': {
    meaning: 'The node that carried the request out was lost before it answered.',
    remedy: 'Look whether it happened, or send it again with the same `Idempotency-Key`.',
  },
  behind: {
    meaning: 'You have seen a newer state than this node has yet.',
    remedy: 'Try again in a moment, or ask another node.',
  },
  timeout: {
    meaning: 'The server gave up waiting for its own work.',
    remedy: 'Try again; what changes data may have happened, so look first.',
  },
} as const satisfies Record<ProblemCode, { meaning: string; remedy: string }>;

const describe = (code: ProblemCode) => ({
  type: `/problems/${code}`,
  code,
  ...problems[code],
  ...problemTexts[code],
});

/** The pages that the `type` of a problem points to. */
export function createProblemPages(): { handlers: HandlersOf<'listProblems' | 'getProblem'> } {
  const all = new Map(
    (Object.keys(problems) as ProblemCode[]).map((code) => [code, describe(code)]),
  );
  const list = Object.freeze({ items: [...all.values()] });
  return {
    handlers: {
      listProblems: async () => ({ body: list }),
      async getProblem({ params }) {
        const found = all.get(params.code as ProblemCode);
        if (!found) throw problem('not-found', 'There is no problem of this name');
        return { body: found };
      },
    },
  };
}
