import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { mergeTopics, operationsOf, readTopics } from '#api/spec.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

const text = (path: string) => readFileSync(join(root, path), 'utf8');
const isCode = (path: string) => /\.(ts|js|cjs)$/.test(path) && path !== 'api/types.ts';
const isProduction = (path: string) =>
  /^(api|node|cluster|services|storage)\//.test(path) && !path.endsWith('.test.ts');

/** Text that may not stand in the code, where, and what to write instead. */
const banned: { pattern: RegExp; where: (path: string) => boolean; instead: string }[] = [
  { pattern: /\bconsole\./, where: isProduction, instead: 'log, or process.stdout in node/cli' },
  { pattern: /\.(only|skip)\(/, where: (p) => p.endsWith('.test.ts'), instead: 'needs(tool)' },
  { pattern: new RegExp('FIX' + 'ME|TO' + 'DO|XX' + 'X:'), where: isCode, instead: 'finish it' },
  { pattern: /\bDate\.now\(/, where: (p) => p.startsWith('cluster/raft/core/'), instead: 'ticks' },
  {
    pattern: /Math\.random\(/,
    where: (p) => p.startsWith('cluster/'),
    instead: 'an injected seed',
  },
  { pattern: /catch\s*(\(\w+\))?\s*\{\s*\}/, where: isProduction, instead: 'handle it or say why' },
  { pattern: /@ts-(ignore|nocheck)/, where: isCode, instead: 'a type that is true' },
];

describe('tidy', () => {
  it('holds no banned text', () => {
    const found: string[] = [];
    for (const path of tracked.filter(isCode)) {
      if (path === 'test/tidy.test.ts') continue;
      const rules = banned.filter(({ where }) => where(path));
      text(path)
        .split('\n')
        .forEach((line, index) => {
          for (const { pattern, instead } of rules) {
            if (pattern.test(line)) found.push(`${path}:${index + 1}: ${line.trim()} → ${instead}`);
          }
        });
    }
    expect(found).to.deep.equal([]);
  });

  it('has no line over 100 characters in code', () => {
    const long = tracked.filter(isCode).flatMap((path) =>
      text(path)
        .split('\n')
        .flatMap((line, index) =>
          line.length > 100 && !/https?:\/\/|'[^']{60,}'|`|\/.{60,}\//.test(line)
            ? [`${path}:${index + 1}`]
            : [],
        ),
    );
    expect(long).to.deep.equal([]);
  });

  it('numbers migrations without gaps, each both ways', () => {
    const names = tracked.filter((path) => path.startsWith('migrations/'));
    const wanted = /^migrations\/(\d{6})_([a-z0-9_]+)\.(up|down)\.sql$/;
    const byNumber = new Map<string, string[]>();
    for (const name of names) {
      const [, number = '', slug = '', way = ''] = wanted.exec(name) ?? [];
      expect(number, name).to.not.equal('');
      byNumber.set(number, [...(byNumber.get(number) ?? []), `${slug}.${way}`]);
    }
    const numbers = [...byNumber.keys()].sort();
    expect(numbers).to.deep.equal(numbers.map((_, i) => String(i + 1).padStart(6, '0')));
    for (const [number, ways] of byNumber) {
      const [slug = ''] = (ways[0] ?? '').split('.');
      expect(ways.sort(), number).to.deep.equal([`${slug}.down`, `${slug}.up`]);
    }
  });

  it('has only top-level folders of the layout', () => {
    const folders = new Set(
      tracked.filter((path) => path.includes('/')).map((path) => path.split('/')[0]),
    );
    const layout = '.ci api bench cluster deploy docs migrations node services storage test web';
    expect([...folders].filter((f) => !layout.split(' ').includes(f ?? ''))).to.deep.equal([]);
  });

  it('has no dead link in its documents', () => {
    const dead: string[] = [];
    for (const path of tracked.filter((p) => p.endsWith('.md'))) {
      for (const [, target = ''] of text(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^(https?:|mailto:)/.test(target)) continue;
        if (!existsSync(resolve(root, dirname(path), target))) dead.push(`${path} → ${target}`);
      }
    }
    expect(dead).to.deep.equal([]);
  });

  it('pins every dependency exactly and says why it is there', () => {
    const reasons = text('docs/dependencies.md');
    const groups = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
    const all = ['package.json', 'web/package.json'].flatMap((path) => {
      const manifest = JSON.parse(text(path)) as Record<string, Record<string, string>>;
      return groups.flatMap((group) => Object.entries(manifest[group] ?? {}));
    });
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+/.test(version))).to.deep.equal([]);
    const unexplained = all.filter(
      ([name]) => !name.startsWith('@types/') && !reasons.includes(`\`${name}\``),
    );
    expect(unexplained.map(([name]) => name)).to.deep.equal([]);
  });

  it('locks a version for every package', () => {
    const lock = JSON.parse(text('package-lock.json')) as {
      packages: Record<string, { version?: string; link?: boolean }>;
    };
    const unlocked = Object.entries(lock.packages).filter(
      ([name, { version, link }]) => name && !version && !link,
    );
    expect(unlocked.map(([name]) => name)).to.deep.equal([]);
  });

  it('names each operation once, with a permission and a default answer', () => {
    const seen = new Set<string>();
    for (const { path, operation } of operationsOf(mergeTopics(readTopics().values(), '0'))) {
      expect(operation.operationId, path).to.be.a('string');
      expect(seen.has(operation.operationId), operation.operationId).to.equal(false);
      seen.add(operation.operationId);
      expect(operation['x-permission'], operation.operationId).to.match(
        /^(public|authenticated|signed|[a-z]+:[a-z]+)$/,
      );
      expect(operation.responses, operation.operationId).to.have.property('default');
    }
  });
});
