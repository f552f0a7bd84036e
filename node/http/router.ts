import type { Method } from '#api/spec.ts';
import { problem } from '#services/errors.ts';

/** What a router needs to know of a route. */
export interface Place {
  readonly method: Method;
  /** As in the spec: `/api/v1/movies/{id}`. */
  readonly path: string;
}

/** A route found, with its decoded path parameters. */
export interface Match<Route> {
  readonly route: Route;
  readonly params: Record<string, string>;
}

export interface Router<Route> {
  /**
   * The route of a request; `allow` when the path is known but not with this method; undefined
   * when it is not known. `HEAD` finds `GET`. Throws `bad-request` for malformed percent-encoding.
   */
  match(method: string, path: string): Match<Route> | { allow: readonly string[] } | undefined;
}

interface Node<Route> {
  readonly literals: Map<string, Node<Route>>;
  variable?: Node<Route>;
  readonly routes: Map<string, { route: Route; names: readonly string[] }>;
}

const create = <Route>(): Node<Route> => ({ literals: new Map(), routes: new Map() });

/**
 * A tree of path segments: the cost of a look-up grows with the depth of the path, not with the
 * number of operations. A literal segment wins over a parameter.
 */
export function createRouter<Route extends Place>(routes: Iterable<Route>): Router<Route> {
  const root = create<Route>();
  for (const route of routes) insert(root, route);
  return {
    match(method, path) {
      const values: string[] = [];
      const node = find(root, path.split('/'), { at: 1, values });
      if (!node) return undefined;
      const wanted = method.toLowerCase();
      const found =
        node.routes.get(wanted) ?? (wanted === 'head' ? node.routes.get('get') : undefined);
      if (!found) return { allow: allowed(node) };
      return { route: found.route, params: decode(found.names, values) };
    },
  };
}

function insert<Route extends Place>(root: Node<Route>, route: Route): void {
  const names: string[] = [];
  let node = root;
  for (const segment of route.path.split('/').slice(1)) {
    if (segment.startsWith('{') && segment.endsWith('}')) {
      names.push(segment.slice(1, -1));
      node = node.variable ??= create();
    } else {
      let next = node.literals.get(segment);
      if (!next) node.literals.set(segment, (next = create()));
      node = next;
    }
  }
  if (node.routes.has(route.method)) {
    throw new Error(`api: ${route.method} ${route.path} is the same path as another operation's`);
  }
  node.routes.set(route.method, { route, names });
}

function find<Route>(
  node: Node<Route>,
  segments: readonly string[],
  state: { at: number; values: string[] },
): Node<Route> | undefined {
  const segment = segments[state.at];
  if (segment === undefined) return node.routes.size > 0 ? node : undefined;
  const literal = node.literals.get(segment);
  if (literal) {
    const found = find(literal, segments, { ...state, at: state.at + 1 });
    if (found) return found;
  }
  if (!node.variable || segment === '') return undefined;
  state.values.push(segment);
  const found = find(node.variable, segments, { ...state, at: state.at + 1 });
  if (!found) state.values.pop();
  return found;
}

function allowed<Route>(node: Node<Route>): string[] {
  const methods = new Set([...node.routes.keys()].map((method) => method.toUpperCase()));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods, 'OPTIONS'];
}

function decode(names: readonly string[], values: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [index, name] of names.entries()) params[name] = decodeSegment(values[index] ?? '');
  return params;
}

function decodeSegment(segment: string): string {
  try {
    return segment.includes('%') ? decodeURIComponent(segment) : segment;
  } catch (cause) {
    throw problem('bad-request', 'The path is not valid percent-encoding', { cause });
  }
}
