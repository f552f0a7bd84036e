import { expect } from 'chai';
import { parseAddress } from './address.ts';

describe('parseAddress', () => {
  const hosts: [string, string][] = [
    ['postgres://me@db/revenge', 'db:5432'],
    ['postgresql://me:pw@db:6000/revenge', 'db:6000'],
    ['postgres://me:p%40ss@one:5432,two,[::1]:7/revenge', 'one:5432 two:5432 ::1:7'],
    ['postgres:///revenge', 'localhost:5432'],
    ['postgres://me@/revenge?host=/run/postgresql', '/run/postgresql/.s.PGSQL.5432'],
    ['postgres:///x?host=/run/pg&port=5433', '/run/pg/.s.PGSQL.5433'],
  ];
  for (const [url, expected] of hosts) {
    it(url, () => {
      const shown = parseAddress({ url }).hosts.map((host) =>
        'path' in host ? host.path : `${host.host}:${host.port}`,
      );
      expect(shown.join(' ')).to.equal(expected);
    });
  }

  it('wants a host that takes writes when there are several', () => {
    expect(parseAddress({ url: 'postgres://a/x' }).sessions).to.equal('any');
    expect(parseAddress({ url: 'postgres://a,b/x' }).sessions).to.equal('read-write');
    const url = 'postgres://a,b/x?target_session_attrs=standby&sslmode=require';
    expect(parseAddress({ url })).to.include({
      sessions: 'standby',
      url: 'postgres://localhost/x?sslmode=require',
    });
  });

  for (const url of [
    'mysql://a/b',
    'postgres://a:b:c/x',
    'postgres://a,b/x?target_session_attrs=no',
  ]) {
    it(`refuses ${url}`, () => {
      expect(() => parseAddress({ url })).to.throw(/database.url/);
    });
  }

  it('does not repeat the password in a message', () => {
    expect(() => parseAddress({ url: 'pg://me:hunter2@db/x' })).to.throw(/^((?!hunter2).)*$/);
  });
});
