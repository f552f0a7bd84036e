/** Bytes for as long as they are not disposed of. */
export interface Lent extends Disposable {
  readonly bytes: Buffer;
}

/**
 * Lends memory that came back to who comes next, while somebody waits for some: V8 clears away what
 * nobody uses only after several more of it.
 */
export function createLender(isWanted: () => boolean): (size: number) => Lent {
  let spare: Buffer | undefined;
  return (size) => {
    const fit = spare !== undefined && spare.length >= size ? spare : undefined;
    if (fit) spare = undefined;
    // One that fits many: of what is not filled the machine gives nothing.
    const whole = fit ?? Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(Math.max(size, 1))));
    return {
      bytes: whole.subarray(0, size),
      [Symbol.dispose]() {
        if (whole.length > (spare?.length ?? 0)) spare = whole;
        if (!isWanted()) spare = undefined;
      },
    };
  };
}
