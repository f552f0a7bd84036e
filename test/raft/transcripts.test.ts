import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { play } from './transcripts/play.ts';

/** REWRITE=1 records them again; read the difference before you commit it. */
describe('Raft transcripts', () => {
  const folder = new URL('./transcripts/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  for (const name of names.sort()) {
    it(name.replace('.txt', '').replaceAll('-', ' '), () => {
      const file = new URL(name, folder);
      const recorded = readFileSync(file, 'utf8');
      const played = play(recorded);
      if (process.env['REWRITE'] === '1') writeFileSync(file, played);
      else expect(played).to.equal(recorded);
    });
  }
});
