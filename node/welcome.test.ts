import { expect } from 'chai';
import { readConfig } from './config/read.ts';
import { urlsElsewhere, welcomeLines } from './welcome.ts';

describe('welcome', () => {
  const at = (address: string, internal = false) =>
    ({ address, internal, family: 'IPv4', netmask: '', mac: '', cidr: null }) as const;
  const interfaces = {
    lo: [at('127.0.0.1', true)],
    docker0: [at('172.17.0.1')],
    eth0: [at('192.168.1.5')],
  };
  const elsewhereWith = (env: Record<string, string>) =>
    urlsElsewhere(readConfig({ env }).values, 8080, interfaces);

  it('names the address for other machines, not those of loopback and containers', () => {
    expect(elsewhereWith({})).to.deep.equal(['http://192.168.1.5:8080']);
  });

  it('names none when nobody else is listened to, or a public one is set', () => {
    expect(elsewhereWith({ REVENGE_SERVER_HOST: '127.0.0.1' })).to.deep.equal([]);
    expect(elsewhereWith({ REVENGE_SERVER_PUBLIC_URL: 'https://x' })).to.deep.equal([]);
  });

  it('shows the set-up link only while there is no administrator', () => {
    const welcome = { url: 'http://localhost:8080', elsewhere: [], tools: [] };
    const first = welcomeLines({ ...welcome, setupToken: 'abc' }).join('\n');
    expect(first).to.include('http://localhost:8080/setup?token=abc');
    expect(welcomeLines({ ...welcome, setupToken: undefined }).join()).to.not.include('setup');
  });

  it('says what a missing tool costs', () => {
    const welcome = { url: 'x', elsewhere: [], setupToken: undefined, tools: [] };
    expect(welcomeLines(welcome).join('\n')).to.include('ffprobe is missing: streams are not read');
  });
});
