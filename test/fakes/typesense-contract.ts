import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';

interface Message {
  readonly type?: string;
  readonly schema?: object;
}

interface Contract {
  readonly operations: Record<
    string,
    { query: string[]; request?: Message; responses: Record<string, Message> }
  >;
  readonly $defs: Record<string, object>;
}

/** One request as it came in. */
export interface Sent {
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly type: string;
}

const file = new URL('../fixtures/typesense/contract.v30.json', import.meta.url);

/** Holds a request and its answer against what Typesense publishes of its API. */
export function createContract() {
  const contract = JSON.parse(readFileSync(file, 'utf8')) as Contract;
  const ajv = new Ajv({ strict: false, allErrors: true });
  const compiled = new Map<object, ValidateFunction>();
  const faultsOf = (schema: object | undefined, value: unknown): string[] => {
    if (schema === undefined) return [];
    let validate = compiled.get(schema);
    if (validate === undefined) {
      validate = ajv.compile({ ...schema, $defs: contract.$defs });
      compiled.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
    );
  };
  return {
    /** The template of a path, such as `/aliases/{aliasName}`, with its operation's name. */
    operationOf(method: string, path: string): string | undefined {
      return Object.keys(contract.operations).find((name) => {
        const [verb, template = ''] = name.split(' ');
        const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`);
        return verb === method.toLowerCase() && pattern.test(path);
      });
    },
    requestFaults(operation: string, sent: Sent): string[] {
      const { query, body, type } = sent;
      const { query: known, request } = contract.operations[operation]!;
      const faults = [...query.keys()]
        .filter((name) => !known.includes(name))
        .map((name) => `query ${name} is unknown`);
      if (request?.type !== undefined && !type.startsWith(request.type)) {
        faults.push(`content type ${type} instead of ${request.type}`);
      }
      return [...faults, ...faultsOf(request?.schema, body)];
    },
    answerFaults(operation: string, status: number, body: unknown): string[] {
      const answer = contract.operations[operation]!.responses[String(status)];
      // 401 and 503 are not in the contract, but happen everywhere.
      if (answer === undefined) return [401, 503].includes(status) ? [] : [`status ${status}`];
      return faultsOf(answer.schema, body);
    },
  };
}
