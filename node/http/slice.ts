import type { Method, Operation, Spec } from '#api/spec.ts';

/** A document that holds one operation and only the schemas it reaches. */
export interface Slice {
  readonly document: Spec;
  readonly operation: SlicedOperation;
}

/** An operation whose references, but for those to schemas, are resolved. */
export interface SlicedOperation extends Operation {
  readonly parameters: readonly SlicedParameter[];
  readonly requestBody?: { required: boolean; content: Record<string, object> };
  readonly responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}

export interface SlicedParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required?: boolean;
  readonly schema?: object;
}

const schemaPrefix = '#/components/schemas/';
const depthMax = 200;

/**
 * Cuts one operation out of a spec, as a document of its own. A validator compiled from it costs
 * the same however large the API grows; references to schemas stay, so that schemas may recurse.
 * Throws for a reference that leads nowhere.
 */
export function sliceSpec(spec: Spec, path: string, method: Method): Slice {
  const item = spec.paths[path];
  const source = item?.[method];
  if (!source) throw new Error(`api: no operation ${method} ${path}`);
  const found = new Set<string>();
  const resolve = (value: unknown) => resolveAll(value, { spec, found, depth: 0 });
  const inherited = resolve(item.parameters ?? []) as SlicedParameter[];
  const resolved = resolve(source) as Omit<SlicedOperation, 'parameters'> & {
    parameters?: SlicedParameter[];
  };
  const parameters = mergeParameters(inherited, resolved.parameters ?? []).map((parameter) =>
    withPlainSchema(spec, parameter),
  );
  const { requestBody } = resolved;
  const operation: SlicedOperation = {
    ...resolved,
    parameters,
    ...(requestBody && {
      requestBody: { ...requestBody, required: requestBody.required ?? false },
    }),
  };
  return {
    operation,
    document: {
      openapi: spec.openapi,
      info: { title: 'slice', version: '0' },
      paths: { [path]: { [method]: operation } },
      components: { schemas: reachable(spec, found) },
    },
  };
}

interface Walk {
  spec: Spec;
  found: Set<string>;
  depth: number;
}

function resolveAll(value: unknown, walk: Walk): unknown {
  if (walk.depth > depthMax) throw new Error('api: references outside of schemas may not recurse');
  const deeper = { ...walk, depth: walk.depth + 1 };
  if (Array.isArray(value)) return value.map((entry) => resolveAll(entry, deeper));
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value && typeof value.$ref === 'string') {
    if (!value.$ref.startsWith(schemaPrefix))
      return resolveAll(lookUp(walk.spec, value.$ref), deeper);
    walk.found.add(value.$ref.slice(schemaPrefix.length));
    return { ...value };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, resolveAll(entry, deeper)]),
  );
}

function lookUp(spec: Spec, reference: string): unknown {
  let value: unknown = spec;
  for (const part of reference.replace(/^#\//, '').split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    value = (value as Record<string, unknown> | undefined)?.[key];
  }
  if (value === undefined) throw new Error(`api: ${reference} leads nowhere`);
  return value;
}

function reachable(spec: Spec, found: Set<string>): Record<string, unknown> {
  const schemas: Record<string, unknown> = {};
  // A Set yields what is added while it is walked: schemas lead to schemas.
  for (const name of found) {
    schemas[name] = resolveAll(lookUp(spec, schemaPrefix + name), { spec, found, depth: 0 });
  }
  return schemas;
}

function mergeParameters(inherited: SlicedParameter[], own: SlicedParameter[]): SlicedParameter[] {
  const key = (parameter: SlicedParameter) => `${parameter.in} ${parameter.name}`;
  const overridden = new Set(own.map(key));
  return [...inherited.filter((parameter) => !overridden.has(key(parameter))), ...own];
}

/** The validator would look a referenced schema up anew for each request. */
function withPlainSchema(spec: Spec, parameter: SlicedParameter): SlicedParameter {
  let { schema } = parameter;
  for (let i = 0; schema && '$ref' in schema && i < depthMax; i++) {
    const { $ref, ...beside } = schema as { $ref: string };
    schema = { ...(lookUp(spec, $ref) as object), ...beside };
  }
  return schema ? { ...parameter, schema } : parameter;
}
