import { ProblemError } from '#services/errors.ts';
import { CommandError, exitCode } from './exit.ts';

/** What a command says when it ends badly. */
export interface Fault {
  readonly message: string;
  readonly exit: number;
}

/** Puts an error in the words of the person at the command line, with the exit code. Pure. */
export function describeFault(error: unknown): Fault {
  if (error instanceof CommandError) return { message: error.message, exit: error.exit };
  if (error instanceof ProblemError) {
    const exit = error.status === 503 ? exitCode.unavailable : exitCode.failed;
    return { message: error.message, exit };
  }
  const { message } = error as Error;
  return { message: systemWords(error as SystemError) ?? message, exit: exitCode.failed };
}

interface SystemError {
  readonly code?: string;
  readonly syscall?: string;
  readonly path?: string;
  readonly address?: string;
  readonly port?: number;
}

/** The faults of a first start that Node words for programmers: sockets and the data folder. */
function systemWords(error: SystemError): string | undefined {
  if (error.syscall === 'listen') return listenWords(error);
  const { code, path } = error;
  if (path === undefined) return undefined;
  switch (code ?? '') {
    case 'EACCES':
    case 'EPERM':
      return `no permission for ${path}: give the folder to this user (chown), or ${otherFolder}`;
    case 'EROFS':
      return `${path} is on a file system that can only be read: ${otherFolder}`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `no room is left for ${path}: make some, or ${otherFolder}`;
    default:
      return undefined;
  }
}

const otherFolder = 'choose another data folder with --data';

function listenWords({ code, address, port }: SystemError): string | undefined {
  switch (code ?? '') {
    case 'EADDRINUSE':
      return (
        `port ${port} is taken: choose another with --port, or find who holds it ` +
        `(ss -ltnp "sport = :${port}")`
      );
    case 'EACCES':
      return `port ${port} may not be used by this user: choose one above 1023 with --port`;
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${address}: choose another with --host`;
    default:
      return undefined;
  }
}
