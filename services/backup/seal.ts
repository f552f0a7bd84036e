import { readFile } from 'node:fs/promises';
import type { Decrypter, Encrypter } from 'age-encryption';
import { BackupError } from './errors.ts';

/** Who may read a backup: whoever knows the passphrase, or has the secret key of one of these. */
export type Lock =
  | {
      readonly passphrase: string;
      /** log2 of what scrypt costs, N (RFC 7914); 18, about a second, unless told. */
      readonly workFactor?: number;
    }
  | { readonly recipients: readonly string[] };

/** What opens a sealed backup. */
export type Key = { readonly passphrase: string } | { readonly identities: readonly string[] };

/** Loaded by those who seal or unseal: it is large, and most nodes never do. */
const load = () => import('age-encryption');

const magic = Buffer.from('age-encryption.org/v1\n');

/** How many bytes tell whether a file is sealed. */
export const sealedPrefixBytes = magic.length;
export const isSealed = (start: Uint8Array): boolean =>
  Buffer.from(start.subarray(0, magic.length)).equals(magic);

/**
 * Seals a backup in the format of age (age-encryption.org/v1): ChaCha20-Poly1305 in chunks under a
 * key that scrypt makes of the passphrase, or that is sealed for X25519 keys.
 * @throws BackupError `refused` for what is no recipient
 */
export async function* seal(
  source: AsyncIterable<Uint8Array>,
  lock: Lock,
): AsyncGenerator<Uint8Array> {
  const encrypter: Encrypter = new (await load()).Encrypter();
  if ('passphrase' in lock) {
    encrypter.setPassphrase(lock.passphrase);
    if (lock.workFactor !== undefined) encrypter.setScryptWorkFactor(lock.workFactor);
  } else for (const recipient of lock.recipients) addRecipient(encrypter, recipient);
  yield* await encrypter.encrypt(ReadableStream.from<Uint8Array>(source));
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new BackupError('refused', `"${recipient}" is no public key (age1…)`, { cause });
  }
}

/** Opens a sealed backup. @throws BackupError `sealed`, `wrong-key`, `damaged` */
export async function* unseal(
  source: AsyncIterable<Uint8Array>,
  key: Key | undefined,
): AsyncGenerator<Uint8Array> {
  if (key === undefined) {
    const words = 'the backup is sealed: give --passphrase-file, or --identity-file';
    throw new BackupError('sealed', words);
  }
  const opened = await open(source, key);
  try {
    yield* opened;
  } catch (cause) {
    throw new BackupError('damaged', 'the backup is damaged: its seal is broken', { cause });
  }
}

async function open(source: AsyncIterable<Uint8Array>, key: Key) {
  const decrypter: Decrypter = new (await load()).Decrypter();
  try {
    if ('passphrase' in key) decrypter.addPassphrase(key.passphrase);
    else for (const identity of key.identities) decrypter.addIdentity(identity);
    return await decrypter.decrypt(ReadableStream.from<Uint8Array>(source));
  } catch (cause) {
    const words = 'the backup cannot be opened: the key is another one, or its start is damaged';
    throw new BackupError('wrong-key', words, { cause });
  }
}

/** A new key pair. */
export async function generateKey(): Promise<{ identity: string; recipient: string }> {
  const age = await load();
  const identity = await age.generateX25519Identity();
  return { identity, recipient: await age.identityToRecipient(identity) };
}

/** The secret keys in a file: a line each, `#` begins a comment. @throws BackupError `refused` */
export async function readIdentities(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim());
  const found = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (found.length > 0) return found;
  throw new BackupError('refused', `${file} holds no secret key (AGE-SECRET-KEY-1…)`);
}

/** The passphrase in a file: its first line. @throws BackupError `refused` */
export async function readPassphrase(file: string): Promise<string> {
  const [line = ''] = (await readFile(file, 'utf8')).split(/\r?\n/);
  if (line !== '') return line;
  throw new BackupError('refused', `the first line of ${file} is empty: it has to be a passphrase`);
}
