import type { AppendRequest, Request, VoteRequest } from '#cluster/raft/core/types.ts';
import { requestToWire } from '#cluster/raft/wire/convert.ts';
import { encodeRequest } from '#cluster/raft/wire/messages.ts';
import { garbage, repeated, type Attempt } from './attempt.ts';
import type { Credentials } from './forge.ts';
import type { Scene } from './scene.ts';
import { drawl, plain, sayPlainly, saySecurely, secure } from './talk.ts';

/** A term so high that whoever believes it makes everybody follow. */
const term = 1_000_000;
const floods = 1_000;

const bytesOf = (request: Request): Buffer => Buffer.concat(encodeRequest(requestToWire(request)));

const vote = (id: string): VoteRequest => ({
  ...{ kind: 'vote', from: { id, address: '127.0.0.1:1' }, term, isTransfer: true },
  ...{ lastIndex: term, lastTerm: term - 1 },
});

const append = (id: string): AppendRequest => ({
  ...{ kind: 'append', from: { id, address: '127.0.0.1:1' }, term, isHeartbeat: true },
  ...{ prevIndex: 0, prevTerm: 0, entries: [], commit: 0 },
});

const port = ({ leader }: Scene) => leader.ports.raft;

const shown = (
  what: string,
  whose: (scene: Scene) => Partial<Credentials>,
  logged: RegExp,
): Attempt => ({
  what,
  try: (scene) => saySecurely(port(scene), whose(scene), bytesOf(append(scene.ids.follower))),
  answer: /^(ERR_SSL_\w+|ECONNRESET|EPIPE|hung up)$/,
  logged,
});

const spoken = (what: string, say: (scene: Scene) => Buffer, logged: RegExp): Attempt => ({
  what,
  try: (scene) => saySecurely(port(scene), scene.crowd.member, say(scene)),
  answer: /hung up|ECONNRESET/,
  logged,
});

/** A frame that says it has an entry of two gigabytes, and goes on for ever. */
function endless(): Buffer {
  const bytes = bytesOf({
    ...append('x'),
    isHeartbeat: false,
    entries: [{ index: 1, term: 1, type: 'command', data: Buffer.alloc(70_000, 7) }],
  });
  // msgpack's bin 32: the length that belongs to the 70,000 bytes of sevens.
  const at = bytes.indexOf(Buffer.from([0, 1, 0x11, 0x70]));
  bytes.writeUInt32BE(0x7fff_ffff, at);
  return bytes;
}

export const raftPort: readonly Attempt[] = [
  {
    what: 'plain TCP',
    try: (scene) => sayPlainly(port(scene), bytesOf(vote(scene.ids.follower))),
    answer: /hung up|ECONNRESET/,
    logged: /a raft connection showed no good certificate/,
  },
  {
    what: `garbage, ${floods} times`,
    try: (scene) => repeated(floods, () => sayPlainly(port(scene), garbage)),
    answer: /hung up|ECONNRESET/,
    logged: /a raft connection showed no good certificate/,
  },
  shown('no certificate', () => ({}), /UNABLE_TO_GET_ISSUER_CERT/),
  shown(
    'a certificate of another authority',
    ({ crowd }) => crowd.wrongAuthority,
    /UNABLE_TO_VERIFY|CERT_SIGNATURE_FAILURE|SELF_SIGNED/,
  ),
  shown('an expired certificate', ({ crowd }) => crowd.expired, /CERT_HAS_EXPIRED/),
  shown('a certificate that is not valid yet', ({ crowd }) => crowd.notYet, /CERT_NOT_YET_VALID/),
  {
    what: 'a certificate of another cluster',
    try: (scene) =>
      saySecurely(port(scene), scene.crowd.wrongCluster, bytesOf(append(scene.ids.follower))),
    answer: /hung up|ECONNRESET/,
    logged: /does not speak for its sender/,
  },
  spoken('a member as another member', ({ ids }) => bytesOf(vote(ids.leader)), /does not speak/),
  spoken('a member as the leader', ({ ids }) => bytesOf(append(ids.leader)), /does not speak/),
  {
    what: 'a node that was removed asks for votes',
    try: (scene) => saySecurely(port(scene), scene.crowd.removed, bytesOf(vote('removed'))),
    answer: /hung up|ECONNRESET/,
    logged: /was removed from the cluster/,
  },
  {
    what: 'a node that was removed says that it leads',
    try: (scene) => saySecurely(port(scene), scene.crowd.removed, bytesOf(append('removed'))),
    answer: /hung up|ECONNRESET/,
    logged: /was removed from the cluster/,
  },
  spoken('an entry of two gigabytes', endless, /a raft connection was closed/),
  {
    what: 'silence after the connection',
    try: (scene) => drawl(plain(port(scene)), '', 1_000),
    answer: /hung up|ECONNRESET/,
    logged: /a raft connection showed no good certificate/,
  },
  {
    what: 'silence after the handshake',
    try: (scene) => drawl(secure(port(scene), scene.crowd.member), '', 1_000),
    answer: /hung up|ECONNRESET/,
    logged: /it asks nothing/,
  },
];
