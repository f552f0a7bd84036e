import type { Command } from 'commander';
import { connectClient, type Client } from './client.ts';
import { createContext, type GlobalOptions } from './context.ts';
import type { Output } from './output.ts';

/** A command that speaks to a node: its client and where to write. */
export async function open(command: Command): Promise<{ client: Client; output: Output }> {
  const { config, env, output } = createContext(command.optsWithGlobals<GlobalOptions>());
  return { client: await connectClient(config.values, env), output };
}

/** All pages of a list; bounded by what a person would read. */
export async function readAll<T>(client: Client, path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: T[]; nextCursor: string | null } = await client.request(
      'GET',
      withQuery(path, { limit: '200', ...(cursor === null ? {} : { cursor }) }),
    );
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && items.length < 10_000);
  return items;
}

/** The path with query parameters added. */
export function withQuery(path: string, query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString();
  if (text === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${text}`;
}
