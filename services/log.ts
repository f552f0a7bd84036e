import type { Logger } from 'winston';

/** What every factory takes as `log`: winston's own logger, as a type only. */
export type Log = Logger;
