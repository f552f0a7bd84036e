import { createLogger, transports, type Logger } from 'winston';

/** A logger that says nothing, for whatever wants one. */
export const quiet: Logger = createLogger({
  silent: true,
  transports: [new transports.Console({ silent: true })],
});
