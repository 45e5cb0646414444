import { expect, test } from "vitest";
import { TimeSlices } from "./time-slices.ts";

test("a place is kept for the run of an attempt that ended within its slice, and taken once", () => {
  const slices = new TimeSlices();
  slices.start("t1", 0);
  expect(slices.keep("r", "t1", 99)).toBe(true);
  expect([slices.take("other"), slices.take("r"), slices.take("r")]).toEqual([null, 100, null]);
});

test("a place is not kept once its slice is over, however often it was handed on", () => {
  const slices = new TimeSlices();
  slices.start("t1", 0);
  expect(slices.keep("r", "t1", 60)).toBe(true);
  slices.start("t2", 60, slices.take("r"));
  expect(slices.keep("r", "t2", 99)).toBe(true);
  slices.start("t3", 99, slices.take("r"));
  expect(slices.keep("r", "t3", 100)).toBe(false);
  slices.start("t4", 100);
  expect(slices.keep("r", "t4", 250)).toBe(false);
});

test("of the places kept for a run as many become free as nobody has taken", () => {
  const slices = new TimeSlices();
  for (const token of ["t1", "t2", "t3"]) {
    slices.start(token, 0);
    slices.keep("r", token, 1);
  }
  slices.take("r");
  expect([slices.release("r"), slices.release("r"), slices.release("r")]).toEqual([true, true, false]);
});

test("an attempt that did not take place, or whose place goes elsewhere, keeps none", () => {
  const slices = new TimeSlices();
  slices.start("t1", 0);
  slices.end("t1");
  expect(slices.keep("r", "t1", 1)).toBe(false);
});
