import { expect } from 'chai';
// The meta-schema of OpenAPI 3.1, as the validator of requests has it.
import { OpenAPISchemaValidator } from 'express-openapi-validator/dist/framework/openapi.schema.validator.js';
import { mergeTopics, operationsOf, readTopics, type Spec } from '#api/spec.ts';
import { operationFaults } from '#node/http/operations.ts';
import { sliceSpec } from '#node/http/slice.ts';
import { createOperationValidator } from '#node/http/validate.ts';
import { formFaults } from './spec-suite.ts';

describe('the API', () => {
  let spec: Spec;
  let operations: ReturnType<typeof listOf>;
  const listOf = (merged: Spec) => [...operationsOf(merged)];

  before(() => {
    spec = mergeTopics(readTopics().values(), '0');
    operations = listOf(spec);
  });

  it('is OpenAPI 3.1', () => {
    const validator = new OpenAPISchemaValidator({ version: '3.1.0', validateApiSpec: true });
    expect(validator.validate(spec as never).errors).to.deep.equal([]);
  });

  it('states of each operation who may, what it is for, and how it fails', () => {
    const faults = operations.flatMap((at) =>
      [...operationFaults(at), ...formFaults(at)].map(
        (fault) => `${at.method} ${at.path} (${at.operation.operationId}): ${fault}`,
      ),
    );
    expect(faults).to.deep.equal([]);
  });

  it('names no operation twice', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).to.deep.equal([]);
  });

  it('lets each operation be validated, requests and answers', async function () {
    for (const { path, method, operation } of operations) {
      const slice = sliceSpec(spec, path, method);
      const validateResponses = operation['x-stream'] !== true;
      const validator = createOperationValidator(slice, { path, method }, { validateResponses });
      await validator.warm();
      if (validateResponses) await validator.response(200, 'application/json', {});
    }
  });
});
