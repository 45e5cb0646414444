import { expect, test } from "vitest";
import type { Io, StopSignal } from "../../io.ts";
import { Ending } from "./ending.ts";

class Signals {
  listener: ((signal: StopSignal) => void) | undefined;
  heard: readonly StopSignal[] | undefined;

  readonly onStopSignal: Io["onStopSignal"] = (listener, signals) => {
    this.listener = listener;
    this.heard = signals;
    return () => {};
  };
}

function scene() {
  const signals = new Signals();
  const ending = new Ending(signals as unknown as Io);
  return { ending, signals, send: (signal: StopSignal): void => signals.listener?.(signal) };
}

test("the first signal asks for the end, the second for it at once", async () => {
  const { ending, send } = scene();
  expect(ending.isReached).toBe(false);
  send("SIGTERM");
  expect(await ending.reached).toEqual({ kind: "asked" });
  let isHurried = false;
  void ending.hurried.then(() => (isHurried = true));
  await Promise.resolve();
  expect(isHurried).toBe(false);
  send("SIGINT");
  await ending.hurried;
});

test("a hang-up is left to the system, so that `nohup` works", () => {
  expect(scene().signals.heard).toEqual(["SIGINT", "SIGTERM"]);
});

test("only the first reason counts", async () => {
  const { ending, send } = scene();
  ending.fail("broken");
  send("SIGTERM");
  expect(await ending.reached).toEqual({ kind: "failed", error: "broken" });
});

test("a wait ends with the worker", async () => {
  const { ending, send } = scene();
  const waiting = ending.wait(60_000);
  send("SIGTERM");
  await waiting;
});
