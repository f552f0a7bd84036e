import { expect } from 'chai';
import type { Spec } from '#api/spec.ts';
import { sliceSpec } from './slice.ts';

const problem = { description: 'x', content: { 'application/problem+json': { schema: {} } } };
const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const spec = {
  openapi: '3.1.0',
  info: { title: 't', version: '1' },
  paths: {
    '/a/{id}': {
      parameters: [
        { name: 'id', in: 'path', required: true, schema: reference('Id') },
        { name: 'both', in: 'query', schema: { type: 'string' } },
      ],
      get: {
        operationId: 'a',
        'x-permission': 'public',
        parameters: [
          { $ref: '#/components/parameters/Limit' },
          { name: 'both', in: 'query', schema: { type: 'integer' } },
        ],
        responses: {
          '200': {
            description: 'y',
            content: { 'application/json': { schema: reference('Tree') } },
          },
          default: { $ref: '#/components/responses/Problem' },
        },
      },
    },
    '/b': { get: { operationId: 'b', 'x-permission': 'public', responses: {} } },
  },
  components: {
    parameters: { Limit: { name: 'limit', in: 'query', schema: { type: 'integer' } } },
    responses: { Problem: problem },
    schemas: {
      Id: { type: 'string', format: 'uuid' },
      Tree: { type: 'object', properties: { leaf: reference('Leaf'), next: reference('Tree') } },
      Leaf: { type: 'string' },
      Unused: { type: 'string' },
    },
  },
} as unknown as Spec;

describe('slice of a spec', () => {
  const { document, operation } = sliceSpec(spec, '/a/{id}', 'get');

  it('holds one operation and the schemas it reaches, recursive ones too', () => {
    expect(Object.keys(document.paths)).to.deep.equal(['/a/{id}']);
    expect(Object.keys(document.components['schemas'] ?? {})).to.deep.equal(['Id', 'Tree', 'Leaf']);
  });

  it('resolves what is not a schema', () => {
    expect(operation.responses['default']).to.deep.equal(problem);
    expect(operation.parameters.map(({ name }) => name)).to.deep.equal(['id', 'limit', 'both']);
  });

  it('puts the schemas of parameters in place, the operation’s own before the path’s', () => {
    const byName = new Map(operation.parameters.map(({ name, schema }) => [name, schema]));
    expect(byName.get('id')).to.deep.equal({ type: 'string', format: 'uuid' });
    expect(byName.get('both')).to.deep.equal({ type: 'integer' });
  });

  it('leaves the source as it is', () => {
    const before = structuredClone(spec);
    const cut = sliceSpec(spec, '/a/{id}', 'get');
    (cut.document.components['schemas'] as Record<string, { type: string }>)['Leaf']!.type = 'null';
    expect(spec).to.deep.equal(before);
  });

  it('refuses a reference that leads nowhere', () => {
    const broken = structuredClone(spec) as unknown as { components: { responses?: object } };
    delete broken.components.responses;
    expect(() => sliceSpec(broken as unknown as Spec, '/a/{id}', 'get')).to.throw('leads nowhere');
  });
});
