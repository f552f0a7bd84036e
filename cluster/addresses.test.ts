import { expect } from 'chai';
import { formatHostPort, readAddress, readBinding } from './addresses.ts';

describe('addresses', () => {
  const good: [text: string, host: string, port: number][] = [
    ['[::1]:80', '::1', 80],
    ['nas:7000', 'nas', 7000],
    ['10.0.0.1:65535', '10.0.0.1', 65_535],
  ];
  for (const [text, host, port] of good) {
    it(`are read, as ${text} is, and written the same`, () => {
      expect(readBinding(text)).to.deep.equal({ host, port });
      expect(readAddress(text)).to.deep.equal({ host, port });
      expect(formatHostPort({ host, port })).to.equal(text);
    });
  }

  it('are none without a host, a port, or brackets', () => {
    for (const wrong of ['', 'nas', '::1:80', 'nas:', 'nas:70000', ':80', '[::1]']) {
      expect(() => readBinding(wrong), wrong).to.throw(TypeError);
      expect(readAddress(wrong), wrong).to.equal(undefined);
    }
  });

  it('may leave the port open where one listens, and not where one dials', () => {
    expect(readBinding('nas:0')).to.deep.equal({ host: 'nas', port: 0 });
    expect(readAddress('nas:0')).to.equal(undefined);
  });
});
