import { expect } from 'chai';
import { problem } from '#services/errors.ts';
import { CommandError, exitCode } from './exit.ts';
import { describeFault } from './fault.ts';

const system = (fields: object) => Object.assign(new Error('as Node words it'), fields);

describe('faults of a command', () => {
  const rows: [string, unknown, RegExp, number][] = [
    ['its own', new CommandError('so', exitCode.usage), /^so$/, 2],
    ['a problem', problem('conflict', 'twice'), /^twice$/, 1],
    ['a problem that passes', problem('media-unavailable', 'away'), /^away$/, 69],
    ['a port', system({ syscall: 'listen', code: 'EADDRINUSE', port: 80 }), /port 80 is taken/, 1],
    ['a low port', system({ syscall: 'listen', code: 'EACCES', port: 80 }), /above 1023/, 1],
    ['no rights', system({ code: 'EACCES', path: '/d/node-id' }), /for \/d\/node-id: give/, 1],
    ['read-only', system({ code: 'EROFS', path: '/d' }), /can only be read/, 1],
    ['a full disk', system({ code: 'ENOSPC', path: '/d' }), /no room is left/, 1],
    ['anything else', new Error('unexpected'), /^unexpected$/, 1],
  ];
  for (const [name, error, words, exit] of rows) {
    it(`words ${name}`, () => {
      const fault = describeFault(error);
      expect(fault.message).to.match(words);
      expect(fault.exit).to.equal(exit);
    });
  }
});
