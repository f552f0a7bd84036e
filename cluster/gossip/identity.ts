/** The network's secret has this many bytes. */
export const NETWORK_KEY_BYTES = 32;

/** A new Ed25519 key for a node, to be kept by the caller. Loads a part of libp2p (about 60 ms). */
export async function makeGossipIdentity(): Promise<Uint8Array> {
  const { generateKeyPair, privateKeyToProtobuf } = await import('@libp2p/crypto/keys');
  return privateKeyToProtobuf(await generateKeyPair('Ed25519'));
}

/**
 * What the network calls the owner of this key: its peer id.
 * @throws TypeError for bytes that `makeGossipIdentity` did not make.
 */
export async function gossipIdOf(identity: Uint8Array): Promise<string> {
  return (await readIdentity(identity)).publicKey.toString();
}

/** @throws TypeError for bytes that are no Ed25519 key. */
export async function readIdentity(identity: Uint8Array) {
  const { privateKeyFromProtobuf } = await import('@libp2p/crypto/keys');
  try {
    const key = privateKeyFromProtobuf(identity);
    if (key.type === 'Ed25519') return key;
  } catch (cause) {
    throw new TypeError('the gossip identity is no key', { cause });
  }
  throw new TypeError('the gossip identity is no Ed25519 key');
}

/** The key file of private libp2p networks, version 1, from the secret itself. */
export function networkKeyFile(key: Uint8Array): Uint8Array {
  const hex = Buffer.from(key).toString('hex');
  return new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${hex}`);
}
