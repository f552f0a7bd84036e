import { expect } from 'chai';
import { mergeTopics, operationsOf, readTopics, writeClass, type Operation } from './spec.ts';

describe("the cluster's headers in the spec", () => {
  const spec = mergeTopics(readTopics().values(), '0');
  const all = [...operationsOf(spec)];
  const refs = ({ parameters = [] }: Operation) =>
    parameters.flatMap((each) => ('$ref' in each ? [String(each.$ref)] : []));
  const has = (operation: Operation, name: string) =>
    refs(operation).filter((ref) => ref === `#/components/parameters/${name}`).length;

  it('are said of every operation but probes', () => {
    for (const { operation } of all) {
      const isProbe = operation.tags?.includes('health') === true;
      expect(has(operation, 'RevengeIndex'), operation.operationId).to.equal(isProbe ? 0 : 1);
    }
  });

  it('let what the leader carries out be repeated, where somebody answers for it', () => {
    for (const { method, operation } of all) {
      const mayRepeat =
        writeClass(method, operation) === 'leader' && operation['x-permission'] !== 'public';
      expect(has(operation, 'IdempotencyKey'), operation.operationId).to.equal(mayRepeat ? 1 : 0);
    }
  });

  it('are in every good answer, and how old it may be in those to reads', () => {
    for (const { method, operation } of all) {
      if (operation.tags?.includes('health') === true) continue;
      for (const [status, response] of Object.entries(operation.responses)) {
        if (!status.startsWith('2') || '$ref' in response) continue;
        const { headers } = response as { headers: object };
        expect(headers, operation.operationId).to.have.property('X-Revenge-Index');
        if (method === 'get') expect(headers).to.have.property('X-Revenge-Stale');
      }
    }
  });

  it('are the same however often topics are merged', () => {
    const topics = [...readTopics().values()];
    const [first, second] = [mergeTopics(topics, '0'), mergeTopics(topics, '0')];
    expect(second).to.deep.equal(first);
  });
});
