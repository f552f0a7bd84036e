import type { HandlersOf } from '#api/handler.ts';
import type { Member } from '#cluster/member/member.ts';
import { decodeCursor, encodeCursor } from '#services/cursor.ts';
import { problem } from '#services/errors.ts';
import { askLog, tell, type OwnLog, type Told } from './answer.ts';
import type { Question } from './ring.ts';

export interface LogDeps extends OwnLog {
  readonly nodeId: string;
  readonly member: Pick<Member, 'state' | 'network'>;
}

export type LogHandlers = HandlersOf<'listLogLines'>;

/** Shows the log of this node, and of each other member, which it asks. */
export function createLogHandlers(deps: LogDeps): LogHandlers {
  const { member } = deps;
  return {
    async listLogLines({ query: { nodeId = deps.nodeId, cursor, limit = 50, ...rest } }) {
      if (nodeId !== deps.nodeId && !member.state.view().members.has(nodeId)) {
        throw problem('not-found', `There is no member "${nodeId}".`);
      }
      const before = cursor === undefined ? undefined : readCursor(cursor, nodeId);
      const wanted: Question = { ...rest, limit, before };
      const isOwn = nodeId === deps.nodeId;
      const told = isOwn
        ? tell(deps, wanted)
        : await askLog(member.network()?.client, nodeId, wanted);
      return { headers: { 'cache-control': 'no-store' }, body: toPage(nodeId, told) };
    },
  };
}

const scope = (nodeId: string) => `log/${nodeId}`;

function readCursor(cursor: string, nodeId: string): number {
  const [before] = decodeCursor(scope(nodeId), cursor);
  if (typeof before === 'number' && Number.isSafeInteger(before)) return before;
  throw problem('invalid-cursor', 'The cursor does not belong to this list');
}

function toPage(nodeId: string, { lines, hasMore, since, ...facts }: Told) {
  const last = lines.at(-1);
  return {
    ...{ nodeId, ...facts, since: since ?? null },
    items: lines.map(({ module = null, ...line }) => ({ ...line, module })),
    nextCursor: hasMore && last ? encodeCursor(scope(nodeId), [last.id]) : null,
  };
}
