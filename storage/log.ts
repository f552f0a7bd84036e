/** What an engine needs of a logger: winston's own `Logger` fits it. */
export type Log = {
  child(fields: Record<string, unknown>): Log;
  debug(message: string, fields?: object): unknown;
  info(message: string, fields?: object): unknown;
  warn(message: string, fields?: object): unknown;
  error(message: string, fields?: object): unknown;
};
