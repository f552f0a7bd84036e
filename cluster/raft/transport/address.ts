export interface Place {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with an IPv6 address in brackets; undefined: it is neither. */
export function readAddress(text: string): Place | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [bracketed ?? plain, Number(digits)];
  return host !== undefined && port > 0 && port < 65_536 ? { host, port } : undefined;
}
