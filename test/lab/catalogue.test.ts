import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { catalogue } from './catalogue.ts';
import { parseFault } from './faults.ts';

describe('the catalogue of faults', () => {
  it('names each once, and says of each how it is shown or why it is not', () => {
    const ids = catalogue.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { id, drives = [], proofs = [], not } of catalogue) {
      expect(drives.length + proofs.length > 0 || not !== undefined, id).to.equal(true);
    }
  });

  it('drives faults that there are, with as many nodes as they need', () => {
    for (const { fault, nodes = 3 } of catalogue.flatMap(({ drives = [] }) => drives)) {
      const { leastNodes = 0, mostNodes = Infinity } = parseFault(fault).fault;
      expect(nodes, fault).to.be.within(leastNodes, mostNodes);
    }
  });

  it('points to tests that there are', async () => {
    for (const { file, title } of catalogue.flatMap(({ proofs = [] }) => proofs)) {
      expect(await readFile(file, 'utf8'), file).to.include(title);
    }
  });
});
