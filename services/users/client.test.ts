import { expect } from 'chai';
import { placeOf, plainIp } from './client.ts';

describe('where a request comes from', () => {
  const addresses: [string, string | undefined, string][] = [
    ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['::1', '::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80::1', 'fe80:0:0:0::/64'],
    ['2001:DB8::1', '2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1:2:3:4', '2001:db8:0:0:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3::', '2001:db8:1:2:3::', '2001:db8:1:2::/64'],
    ['', undefined, 'nowhere'],
    ['unix', undefined, 'nowhere'],
    ['300.1.1.1', undefined, 'nowhere'],
  ];
  for (const [given, ip, place] of addresses) {
    it(`of "${given}" is ${place}`, () => {
      expect(plainIp(given)).to.equal(ip);
      expect(placeOf(plainIp(given))).to.equal(place);
    });
  }
});
