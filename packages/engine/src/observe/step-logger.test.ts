import { expect, test } from "vitest";
import { createMasker } from "./mask.ts";
import { createStepLogger, type StepLogLine } from "./step-logger.ts";

function collect(maxLength?: number): { given: StepLogLine[]; logger: ReturnType<typeof createStepLogger> } {
  const given: StepLogLine[] = [];
  const sink = (line: StepLogLine): void => void given.push(line);
  const masker = createMasker(["hunter2hunter2"]);
  const logger = createStepLogger(maxLength === undefined ? { masker, sink } : { masker, sink, maxLength });
  return { given, logger };
}

test("keeps the streams of a program apart and masks them", () => {
  const { given, logger } = collect();
  logger.write("stdout", "out hunter2");
  logger.write("stderr", Buffer.from("err\n"));
  logger.write("stdout", "hunter2\nrest");
  logger.end();
  expect(given).toEqual([
    { stream: "stderr", text: "err" },
    { stream: "stdout", text: "out ***" },
    { stream: "stdout", text: "rest" },
  ]);
});

test("gives on messages line by line with their level", () => {
  const { given, logger } = collect();
  logger.info("a hunter2hunter2\nb");
  logger.warn("c");
  logger.error("d");
  expect(given.map((line) => line.text)).toEqual(["a ***", "b", "[warn] c", "[error] d"]);
  expect(given.every((line) => line.stream === "log")).toBe(true);
});

test("cuts a log that is too long and says so once", () => {
  const { given, logger } = collect(10);
  logger.write("stdout", "12345\n678\nnever\nnever\n");
  logger.info("never");
  expect(given).toEqual([
    { stream: "stdout", text: "12345" },
    { stream: "stdout", text: "678" },
    { stream: "log", text: "[warn] The log is cut: it is longer than 10 characters." },
  ]);
});
