import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { keys, variablesOf, type ConfigKey } from './keys.ts';
import { ConfigError, describeConfig, readConfig } from './read.ts';

describe('configuration', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (text: string) => {
    const path = join(folder, 'config.yaml');
    writeFileSync(path, text);
    return path;
  };
  const faultsOf = (read: () => unknown): readonly string[] => {
    try {
      read();
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    }
    return [];
  };

  it('has the defaults that the documents promise', () => {
    const { values } = readConfig({ env: {} });
    const promised = {
      'server.port': 8080,
      'server.host': '0.0.0.0',
      'database.driver': 'postgres',
      'database.pool.max_lifetime': 1_800_000,
      'database.pool.max_idle': 300_000,
      'database.pool.min_conns': 2,
      'cluster.enabled': false,
      'cluster.mode': 'raft',
      'cluster.raft.bind_addr': '0.0.0.0:7000',
      'cluster.raft.heartbeat_timeout': 1000,
      'cluster.raft.election_timeout': 1000,
      'cluster.raft.snapshot_interval': 120_000,
      'cluster.raft.snapshot_threshold': 8192,
      'cluster.max_staleness': 10_000,
      'legacy.enabled': false,
      'legacy.privacy.require_pin': true,
      'legacy.privacy.audit_all_access': true,
    } as const;
    for (const [key, value] of Object.entries(promised)) {
      expect(values[key as ConfigKey], key).to.equal(value);
    }
  });

  it('ranks command line over environment over file over default', () => {
    const path = file('server:\n  port: 1\n  host: 127.0.0.1\nlog: { level: debug }\n');
    const read = readConfig({
      env: { REVENGE_SERVER_PORT: '2', REVENGE_LOG_LEVEL: 'warn' },
      file: path,
      options: { 'server.port': 3 },
    });
    expect(read.values['server.port']).to.equal(3);
    expect(read.values['log.level']).to.equal('warn');
    expect(read.values['server.host']).to.equal('127.0.0.1');
    expect(read.origins['server.port']).to.equal('command line');
    expect(read.origins['log.level']).to.equal('REVENGE_LOG_LEVEL');
    expect(read.origins['server.host']).to.equal(path);
    expect(read.origins['data.dir']).to.equal('default');
  });

  it('takes a variable from a file, without its last line break', () => {
    const path = join(folder, 'secret');
    writeFileSync(path, `${'s'.repeat(40)}\n`);
    const { values, origins } = readConfig({ env: { REVENGE_JWT_SECRET_FILE: path } });
    expect(values['auth.jwt_secret']).to.equal('s'.repeat(40));
    expect(origins['auth.jwt_secret']).to.equal('REVENGE_JWT_SECRET_FILE');
  });

  it('reports every fault at once, by key, with the form expected', () => {
    const path = file('server: { port: high }\ndatabase: { pool: { max_conn: 3 } }\n');
    const faults = faultsOf(() =>
      readConfig({
        env: {
          REVENGE_DATABASE_URL: 'mysql://x',
          REVENGE_AUTH_JWT_SECRET: 'short',
          REVENGE_CACHE_URL_FILE: join(folder, 'absent'),
          REVENGE_SERVER_PROT: '1',
        },
        file: path,
      }),
    );
    expect(faults.join('\n')).to.include('no such key; did you mean database.pool.max_conns?');
    expect(faults.join('\n')).to.include('did you mean REVENGE_SERVER_PORT?');
    expect(faults.join('\n')).to.include('server.port: expected a port between 0 and 65535');
    expect(faults.join('\n')).to.include(
      'database.url: expected an address beginning with postgres',
    );
    expect(faults.join('\n')).to.include('auth.jwt_secret: expected a secret of at least 32');
    expect(faults.join('\n')).to.include('REVENGE_CACHE_URL_FILE: cannot read');
    expect(faults.join('\n')).to.not.include('short');
  });

  it('says where YAML is broken', () => {
    const faults = faultsOf(() => readConfig({ env: {}, file: file('a: [1\nb: 2\n') }));
    expect(faults[0]).to.match(/config\.yaml:\d+: /);
  });

  it('says what a file must be when it is a sentence, a list, or a value for a section', () => {
    for (const text of ['server\n', '- a\n- b\n']) {
      expect(faultsOf(() => readConfig({ env: {}, file: file(text) }))[0]).to.include('keys and');
    }
    const faults = faultsOf(() => readConfig({ env: {}, file: file('server: 8081\n') }));
    expect(faults[0]).to.match(/server: holds further keys and no value itself, as in server\./);
  });

  it('names the words that are allowed', () => {
    const faults = faultsOf(() => readConfig({ env: { REVENGE_LOG_LEVEL: 'loud' } }));
    expect(faults[0]).to.include('log.level: expected one of error, warn, info, debug (from');
  });

  it('refuses a file that was named and is not there', () => {
    const env = { REVENGE_CONFIG: join(folder, 'none.yaml') };
    expect(faultsOf(() => readConfig({ env }))[0]).to.include('cannot be read (ENOENT)');
  });

  it('leaves alone what Kubernetes sets for a service called revenge', () => {
    const env = { REVENGE_SERVICE_HOST: 'x', REVENGE_PORT_8080_TCP: 'x', REVENGE_PORT: 'x' };
    expect(() => readConfig({ env })).to.not.throw();
  });

  it('takes several arr servers, each with a key of its own', () => {
    const read = (env: Record<string, string>) => readConfig({ env }).values;
    const urls = 'http://a:7878, http://b:7878';
    const two = read({ REVENGE_RADARR_URL: urls, REVENGE_RADARR_API_KEY: 'one,two' });
    expect(two['arr.radarr.url']).to.deep.equal(['http://a:7878', 'http://b:7878']);
    expect(two['arr.radarr.api_key']).to.deep.equal(['one', 'two']);
    const one = read({ REVENGE_SONARR_URL: 'http://a:8989', REVENGE_SONARR_API_KEY: 'one' });
    expect(one['arr.sonarr.url']).to.deep.equal(['http://a:8989']);
    expect(
      faultsOf(() => read({ REVENGE_RADARR_URL: urls, REVENGE_RADARR_API_KEY: 'one' })),
    ).to.deep.equal(['arr.radarr.api_key: expected one for each address of arr.radarr.url']);
    expect(faultsOf(() => read({ REVENGE_RADARR_URL: 'http://a, b' }))[0]).to.include(
      'arr.radarr.url',
    );
  });

  it('masks every secret and warns of keys without effect', () => {
    const read = readConfig({
      env: { REVENGE_LIDARR_API_KEY: 'lidarr-key', REVENGE_DATABASE_URL: 'postgres://u:p4ss@h/d' },
    });
    const shown = JSON.stringify(describeConfig(read));
    expect(shown).to.not.include('lidarr-key').and.not.include('p4ss');
    expect(read.warnings.join()).to.include('arr.lidarr.api_key');
  });

  it('gives no two keys one variable', () => {
    const all = (Object.keys(keys) as ConfigKey[]).flatMap(variablesOf);
    expect(new Set(all).size).to.equal(all.length);
  });
});
