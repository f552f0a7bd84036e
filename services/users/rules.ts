import { problem, type ProblemExtra } from '../errors.ts';
import { commonPasswords } from './common-passwords.ts';

const passwordMin = 8;
const passwordMax = 1024;
const usernameMax = 64;

/** The one form in which a password is hashed and compared, however it was typed. */
export const normalisePassword = (password: string): string => password.normalize('NFKC');

/** The one form in which a user name is stored; case is kept, and ignored when comparing. */
export const normaliseUsername = (username: string): string => username.normalize('NFKC').trim();

/**
 * Checks a new password and returns its normal form: 8 to 1024 characters, not the user's name,
 * not one of those tried first (NIST SP 800-63B). Throws `unprocessable` with the reason.
 */
export function checkPassword(password: string, username: string): string {
  const normal = normalisePassword(password);
  const length = [...normal].length;
  if (length < passwordMin) throw refuse('password', `At least ${passwordMin} characters.`);
  if (length > passwordMax) throw refuse('password', `At most ${passwordMax} characters.`);
  const folded = normal.toLowerCase();
  if (folded === normaliseUsername(username).toLowerCase()) {
    throw refuse('password', 'It must differ from the user name.');
  }
  if (commonPasswords.has(folded)) throw refuse('password', 'Everybody would try this one first.');
  return normal;
}

/** Letters, digits and a few signs; no blank at either end, nothing invisible. */
const usernamePattern = /^[\p{L}\p{N}_](?:[\p{L}\p{N}\p{M}._@+' -]*[\p{L}\p{N}\p{M}._@+'-])?$/u;

/** Checks a new user name and returns its stored form. Throws `unprocessable` with the reason. */
export function checkUsername(username: string): string {
  const normal = normaliseUsername(username);
  if (normal.length === 0) throw refuse('username', 'It must not be empty.');
  if ([...normal].length > usernameMax) {
    throw refuse('username', `At most ${usernameMax} characters.`);
  }
  if (!usernamePattern.test(normal)) {
    throw refuse('username', "Letters, digits, blanks between them, and . _ @ + ' - only.");
  }
  return normal;
}

/** Checks a new display name; null means none. */
export function checkDisplayName(name: string | null | undefined): string | null {
  const normal = name?.normalize('NFC').trim() ?? '';
  if (/\p{Cc}/u.test(normal)) throw refuse('displayName', 'It must not hold control characters.');
  return normal === '' ? null : normal;
}

function refuse(path: string, message: string) {
  const extra: ProblemExtra = { errors: [{ path: `/${path}`, message }] };
  return problem('unprocessable', `The ${path} cannot be used: ${message}`, extra);
}
