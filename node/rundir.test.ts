import { expect } from 'chai';
import { localUrl } from './rundir.ts';

describe('where the command line finds a node', () => {
  const cases: [host: string, url: string][] = [
    ['0.0.0.0', 'http://127.0.0.1:8080'],
    ['::', 'http://127.0.0.1:8080'],
    ['127.0.0.1', 'http://127.0.0.1:8080'],
    ['192.168.1.5', 'http://192.168.1.5:8080'],
    ['fd00::5', 'http://[fd00::5]:8080'],
    ['box.lan', 'http://box.lan:8080'],
  ];
  for (const [host, url] of cases) {
    it(`of one that listens on ${host}`, () => expect(localUrl(host, 8080)).to.equal(url));
  }
});
