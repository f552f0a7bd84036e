import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool } from '#test/needs.ts';

const gopath = '/usr/share/gocode';
const packages = ['raft', 'raft-boltdb'].map((name) =>
  join(gopath, 'src/github.com/hashicorp', name),
);

/** What these tests miss on this machine, as `needs` names tools. */
export function missingForGo(): string | undefined {
  if (!findTool('go')) return 'go';
  return packages.every((path) => existsSync(path)) ? undefined : 'hashicorp/raft';
}

export interface GoPeer {
  readonly program: string;
  remove(): Promise<void>;
}

/** Builds test/interop/gopeer on Debian's packages. */
export async function buildGoPeer(): Promise<GoPeer> {
  const dir = await mkdtemp(join(tmpdir(), 'revenge-gopeer-'));
  const program = join(dir, 'gopeer');
  const { status, stderr } = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: join(import.meta.dirname, 'gopeer'),
    env: { ...process.env, GO111MODULE: 'off', GOPATH: gopath, GOFLAGS: '' },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`go build: ${stderr}`);
  return { program, remove: () => rm(dir, { recursive: true, force: true }) };
}
