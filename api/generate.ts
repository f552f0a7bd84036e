// Writes api/types.ts from the topic files; with --check only says whether it is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import { mergeTopics, readTopics } from './spec.ts';

const target = new URL('./types.ts', import.meta.url);
const spec = mergeTopics(readTopics().values(), '0');
const banner =
  '// Generated from api/*.yaml by `npm run generate`; do not edit.\n/* eslint-disable */\n\n';
const nodes = await openapiTS(spec as unknown as OpenAPI3, { alphabetize: true });
const text = banner + astToString(nodes);

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write('api/types.ts does not match api/*.yaml: run "npm run generate"\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, text);
}
