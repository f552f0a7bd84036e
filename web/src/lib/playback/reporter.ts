import { api, read, ring, session } from '../api';
import { createReporter, type Report } from './progress';

const bodyOf = ({ fileId, positionMs, durationMs, at }: Report) => ({
  ...{ fileId, positionMs: Math.round(positionMs), at },
  ...(durationMs > 0 ? { durationMs: Math.round(durationMs) } : {}),
});

let lastToken: string | undefined;
/** A page that goes because somebody signed out has yet to tell how far they were. */
let lastUser: string | undefined;

/** Must be ready to leave at any time, and a token cannot be waited for then. */
const rememberToken = async () => (lastToken = await session.token());

/** This browser's reports of how far its people are. */
export const reporter = createReporter({
  storage: localStorage,
  whose: () => (lastUser = session.user?.id ?? lastUser),
  async send(report) {
    await rememberToken();
    const path = { kind: report.kind, itemId: report.itemId };
    const params = { path };
    await read(
      api.PUT('/api/v1/users/me/progress/{kind}/{itemId}', { params, body: bodyOf(report) }),
    );
  },
  leave(report) {
    if (lastToken === undefined) return;
    const { kind, itemId } = report;
    void fetch(`${ring.current()}/api/v1/users/me/progress/${kind}/${itemId}`, {
      method: 'PUT',
      keepalive: true,
      credentials: 'omit',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${lastToken}` },
      body: JSON.stringify(bodyOf(report)),
    }).catch(() => undefined); // what did not arrive is kept, and sent another time
  },
});
