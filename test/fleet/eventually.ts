/** Waits until the check passes, and fails with what it says last. Bounded generously: it is about liveness, not speed. */
export async function eventually(check: () => void | Promise<void>, withinMs = 20_000): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
