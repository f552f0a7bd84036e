/** What a node answered, or what came instead. */
export interface Answer {
  /** 0: none. */
  readonly status: number;
  /** The tail of the problem's type, or the system's word for why nothing came. */
  readonly code: string | undefined;
  /** What it says the clock is at; only after changes. */
  readonly index: number | undefined;
  readonly body: unknown;
  readonly bytes: Buffer;
  /** Milliseconds of the lab's clock. */
  readonly callAt: number;
  readonly endAt: number;
}

export interface Wish {
  readonly url: string;
  readonly token: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly timeoutMs?: number;
}

/** Longer than a node itself waits for a leader. */
export const answerMaxMs = 12_000;

/** Asks once, without another try; never rejects. */
export async function ask({ url, token, method = 'GET', ...wish }: Wish): Promise<Answer> {
  const headers = new Headers(wish.headers);
  headers.set('authorization', `Bearer ${token}`);
  if (wish.json !== undefined) headers.set('content-type', 'application/json');
  const body = wish.json === undefined ? null : JSON.stringify(wish.json);
  const signal = AbortSignal.timeout(wish.timeoutMs ?? answerMaxMs);
  const callAt = performance.now();
  const times = () => ({ callAt, endAt: performance.now() });
  try {
    const response = await fetch(url, { method, headers, body, signal });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const parsed: unknown = isJson ? JSON.parse(bytes.toString()) : undefined;
    const index = response.headers.get('x-revenge-index');
    return {
      status: response.status,
      code: response.ok ? undefined : problemOf(parsed),
      index: index === null ? undefined : Number(index),
      body: parsed,
      bytes,
      ...times(),
    };
  } catch (error) {
    const nothing = { index: undefined, body: undefined, bytes: Buffer.alloc(0) };
    return { status: 0, code: wordFor(error), ...nothing, ...times() };
  }
}

function problemOf(body: unknown): string | undefined {
  const type = (body as { type?: unknown } | undefined)?.type;
  return typeof type === 'string' ? type.replace('/problems/', '') : undefined;
}

function wordFor(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? (name === 'TimeoutError' ? name : message);
}

/** Nothing reached the node: it may be asked elsewhere without a second thought. */
export const isRefused = ({ status, code }: Pick<Answer, 'status' | 'code'>): boolean =>
  status === 0 && ['ECONNREFUSED', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'].includes(code ?? '');
