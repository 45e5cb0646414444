import { createEngine, workflow } from "@braid/engine";

const report = workflow("report")
  .step("collect", ({ logger, attempt }) => {
    logger.info(`attempt ${attempt}`);
    return { rows: 3 };
  })
  .approval("sign-off", { dependsOn: ["collect"], message: "Send it?" })
  .step("send", { dependsOn: ["collect", "sign-off"] }, ({ deps, idempotencyKey }) => ({
    sent: deps.collect.rows,
    key: idempotencyKey,
  }));

/** A worker of all runs of a store, a run that it carries, and a person who approves. */
export async function startAndFollow(store: string): Promise<readonly string[]> {
  const engine = await createEngine({ store });
  await engine.register(report);
  const worker = await engine.work({ concurrency: 4 });
  try {
    const run = await engine.start(report, { idempotencyKey: "report-of-today" });
    const seen: string[] = [];
    for await (const event of run.events()) {
      const { type, step } = event as { readonly type: string; readonly step: string | null };
      if (type.startsWith("step.")) seen.push(`${type} ${step}`);
      if (type === "step.waiting") await engine.approve(run.id, "sign-off");
    }
    const { status } = await run.result();
    return [...seen, status];
  } finally {
    await worker.stop();
    await engine.close();
  }
}
