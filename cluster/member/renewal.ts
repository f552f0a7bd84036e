import { z } from 'zod';
import type { Log } from '../raft/driver/ports.ts';
import { createRequest, readLeaf } from '../trust/certificates.ts';
import { ensureKey, readTrust, saveTrust } from '../trust/folder.ts';
import { signHere } from './credentials.ts';

export interface RenewalDeps {
  readonly dataDir: string;
  readonly nodeId: string;
  readonly clusterId: () => string;
  /** Other members, of which any that keeps the authority can sign. */
  readonly members: () => readonly string[];
  /** Asks a member to sign; rejects when it cannot. */
  readonly ask: (nodeId: string, request: string) => Promise<unknown>;
  /** Uses the new certificate, without ending what runs. */
  readonly onRenewed: () => Promise<void>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Renewal {
  /** Renews the certificate if two thirds of its life are over; true if it did. */
  look(): Promise<boolean>;
  /** Looks on; resolves after the first look, whatever came of it. */
  start(): Promise<void>;
  close(): void;
}

const everyMs = 3_600_000;
const answer = z.object({ certificate: z.string().min(1) });

/** Keeps this node's certificate from running out. */
export function createRenewal(deps: RenewalDeps): Renewal {
  const { dataDir, nodeId, log, now } = deps;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    const { certificate, authorityKey } = await readTrust(dataDir);
    if (certificate === undefined || now() < readLeaf(certificate).renewAt) return false;
    const request = await createRequest(await ensureKey(dataDir), nodeId);
    const renewed =
      authorityKey === undefined
        ? await askAny(deps, request)
        : await signHere(dataDir, request, { nodeId, clusterId: deps.clusterId(), now });
    await saveTrust(dataDir, { certificate: renewed });
    await deps.onRenewed();
    const until = new Date(readLeaf(renewed).validTo).toISOString();
    log.info("renewed this node's certificate", { until });
    return true;
  };
  const lookOrSay = () =>
    look().catch((error: unknown) =>
      log.warn("this node's certificate is not renewed yet", { reason: String(error) }),
    );
  return {
    look,
    async start() {
      timer = setInterval(() => void lookOrSay(), everyMs);
      timer.unref();
      await lookOrSay();
    },
    close: () => clearInterval(timer),
  };
}

async function askAny({ members, ask }: RenewalDeps, request: string): Promise<string> {
  let last: unknown = new Error('there is no other member to sign it');
  for (const id of members()) {
    try {
      return answer.parse(await ask(id, request)).certificate;
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
