import { expect, test } from "vitest";
import type { Io, StopSignal } from "../io.ts";
import { StopSignals } from "./stop-signals.ts";

function scene() {
  let send: ((signal: StopSignal) => void) | undefined;
  const exits: number[] = [];
  const io = {
    onStopSignal: (listener: (signal: StopSignal) => void) => {
      send = listener;
      return () => {};
    },
    exit: (code: number) => exits.push(code),
  } as unknown as Io;
  const signals = new StopSignals(io);
  return { signals, exits, send: (signal: StopSignal): void => send?.(signal) };
}

test("keeps a signal that comes before anybody can act on it", () => {
  const { signals, send, exits } = scene();
  const heard: StopSignal[] = [];
  send("SIGINT");
  signals.listen((signal) => heard.push(signal));
  send("SIGTERM");
  expect(heard).toEqual(["SIGINT", "SIGTERM"]);
  expect(exits).toEqual([]);
});

test("ends the process at the second signal while there is no run to cancel", () => {
  const { send, exits } = scene();
  send("SIGINT");
  send("SIGINT");
  expect(exits).toEqual([130]);
});

test("passes over signals once the run has ended", () => {
  const { signals, send, exits } = scene();
  const heard: StopSignal[] = [];
  signals.listen((signal) => heard.push(signal))();
  send("SIGINT");
  expect(heard).toEqual([]);
  expect(exits).toEqual([]);
});
