import { createEngine, workflow } from "@braid/engine";

const resize = workflow("resize")
  .step("list", () => ["cat.png", "dog.png", "owl.png"])
  .map(
    "shrink",
    { dependsOn: ["list"], forEach: { items: ({ deps }) => deps.list, maxConcurrent: 2 }, retry: { maxAttempts: 3 } },
    ({ item, index }) => `${index}-small-${item}`,
  )
  .output(({ deps }) => ({ files: deps.shrink }));

export async function runOnce(): Promise<unknown> {
  const engine = await createEngine({ store: "memory:" });
  try {
    const result = await engine.run(resize, { timeoutMs: 60_000 });
    return result.status === "completed" ? result.output : result.error;
  } finally {
    await engine.close();
  }
}
