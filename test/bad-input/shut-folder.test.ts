import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { has, needs } from '../needs.ts';
import { writeFiles } from '../server.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, 'list-folder.ts');

// Nothing is shut to root, unless it gives its powers away (capabilities(7)).
describe('a folder that may not be read', () => {
  if (has('root')) needs('setpriv');
  let dir: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-test-shut-'));
    await writeFiles(dir, { 'shut/film.mkv': '', 'open/film.mkv': '' });
    await chmod(join(dir, 'shut'), 0);
  });
  after(() => rm(dir, { recursive: true }));

  it('is forbidden, and the folder beside it is read', async function () {
    const powerless = has('root') ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
    const [program = '', ...rest] = [...powerless, process.execPath, script, dir];
    const { stdout } = await run(program, rest);
    expect(JSON.parse(stdout)).to.deep.equal({
      shut: 'forbidden: EACCES: permission denied',
      open: 'film.mkv',
    });
  });
});
