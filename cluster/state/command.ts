import { isUtf8 } from 'node:buffer';
import { limits } from './limits.ts';
import { commandShape, describe } from './shapes.ts';
import type { Command } from './types.ts';

/** Stands in front of every command; another one is not JSON of these shapes. */
const format = 1;

/** The command cannot be one: it is too large, has a wrong field, or is of another version. */
export class CommandError extends Error {
  constructor(why: string) {
    super(`not a command: ${why}`);
    this.name = 'CommandError';
  }
}

/**
 * As it stands in the Raft log: a version byte, then JSON in UTF-8. Checked here as strictly as it
 * is read, since what is once in the log and cannot be read stops every node.
 * @throws CommandError
 */
export function encodeCommand(command: Command): Uint8Array {
  const text = JSON.stringify(check(command));
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(text));
  if (bytes.length > limits.commandBytes) {
    throw new CommandError(`${bytes.length} bytes, ${limits.commandBytes} are allowed`);
  }
  bytes[0] = format;
  bytes.write(text, 1, 'utf8');
  return bytes;
}

/** @throws CommandError for what this version did not write */
export function decodeCommand(bytes: Uint8Array): Command {
  if (bytes.length === 0) throw new CommandError('it is empty');
  if (bytes.length > limits.readableBytes) throw new CommandError(`it has ${bytes.length} bytes`);
  if (bytes[0] !== format) throw new CommandError(`its format is ${bytes[0]}, known is ${format}`);
  const json = Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1);
  if (!isUtf8(json)) throw new CommandError('it is no UTF-8');
  return check(parse(json.toString('utf8')));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError('it is no JSON');
  }
}

function check(value: unknown): Command {
  const parsed = commandShape.safeParse(value);
  if (!parsed.success) throw new CommandError(describe(parsed.error));
  return parsed.data;
}
