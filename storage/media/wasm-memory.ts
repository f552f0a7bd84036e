/** What is used of it; Node's types leave WebAssembly to those of browsers. */
interface Memory {
  readonly buffer: ArrayBuffer;
  grow: (this: Memory, pages: number) => number;
}
interface WithMemory {
  readonly WebAssembly: { readonly Memory: { readonly prototype: Memory } };
}

const pageBytes = 64 * 1024;

/**
 * Lets no WebAssembly in this thread have more than `bytesMax` of memory from now on: a kilobyte of
 * a hostile file can declare that it unfolds to gigabytes, which would be taken, and never given
 * back. Whoever asks for more is told that there is none, as by a machine that has none left. A
 * library makes its memory itself and hands it to nobody, so that it is limited for all.
 */
export function limitWasmMemory(bytesMax: number): void {
  const memory = (globalThis as unknown as WithMemory).WebAssembly.Memory.prototype;
  const { grow } = memory;
  memory.grow = function (pages) {
    if (this.buffer.byteLength + pages * pageBytes > bytesMax)
      throw new RangeError('no more memory');
    return grow.call(this, pages);
  };
}
