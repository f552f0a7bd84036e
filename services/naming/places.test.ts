import { expect } from 'chai';
import { typeOfExtra } from './places.ts';

describe('what extras are', () => {
  const cases: [directory: string, name: string, type: string][] = [
    ['Heat (1995)/Trailers', 'One.mkv', 'trailer'],
    ['Heat (1995)/Extras', 'One-interview.mkv', 'extra'],
    ['Heat (1995)', 'Heat-interview.mkv', 'interview'],
    ['Heat (1995)', 'theme.mp3', 'themeSong'],
    ['Heat (1995)', 'theme.mka', 'themeSong'],
    ['Heat (1995)/theme-music', 'One.dts', 'themeSong'],
    ['Heat (1995)', 'Heat.mkv', 'extra'],
  ];
  for (const [directory, name, type] of cases) {
    it(`${directory}/${name} is ${type}`, () => {
      expect(typeOfExtra({ directory, name })).to.equal(type);
    });
  }
});
