/** What one message may weigh. Messages are hints: none is owed, all may be cut short. */
export const MAX_MESSAGE_BYTES = 16 * 1024;
/** A frame of the protocol: one message, its signature, and what the protocol adds. */
export const MAX_FRAME_BYTES = 64 * 1024;
/** Messages a second of one author; about half of what was measured to pass without loss. */
export const MESSAGES_PER_SECOND = 250;
export const MESSAGE_BURST = 500;
/** Messages a second beyond that which a peer may still bring before it is shut out. */
export const EXCESS_PER_SECOND = 50;
export const EXCESS_BURST = 1_000;
export const BARRED_MS = 30_000;
/** Own messages that may wait for their turn. */
export const MAX_QUEUED = 512;
export const MAX_MEMBERS = 128;
