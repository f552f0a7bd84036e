/** Does something at once and then again and again; the result ends that, and waits for it. */
export function repeat(
  work: () => Promise<void>,
  everyMs: number,
  onFailure: (error: unknown) => void,
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const run = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      onFailure(error);
    }
    if (isOver) return;
    timer = setTimeout(() => void (running = run()), everyMs);
    timer.unref();
  };
  let running = run();
  return async () => {
    isOver = true;
    clearTimeout(timer);
    await running;
  };
}
