import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { configOf } from './balancer.ts';

const shipped = readFileSync(new URL('../../deploy/haproxy/haproxy.cfg', import.meta.url), 'utf8');

describe('the balancer of the lab', () => {
  const made = configOf(shipped, { port: 4_000, nodes: ['10.0.0.1:80', '10.0.0.2:80'] });

  it('listens on this machine alone', () => {
    expect(made.match(/^ {2}bind .*$/gm)).to.deep.equal(['  bind 127.0.0.1:4000']);
  });

  it('sends on to the nodes of the lab, and no others', () => {
    expect(made.match(/^ {2}server .*$/gm)).to.deep.equal([
      '  server n1 10.0.0.1:80',
      '  server n2 10.0.0.2:80',
    ]);
  });

  it('is the shipped file otherwise', () => {
    const rest = (text: string) =>
      text.split('\n').filter((line) => !/^ {2}(bind|server) /.test(line));
    expect(rest(made)).to.deep.equal(rest(shipped));
  });
});
