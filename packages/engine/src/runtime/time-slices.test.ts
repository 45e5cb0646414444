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
  slices.offer("t2", 60, slices.take("r"));
  expect(slices.keep("r", "t2", 99)).toBe(true);
  slices.offer("t3", 99, slices.take("r"));
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

test("nothing is kept while commits are slow and claims are not, because the place would stand empty", () => {
  const slices = new TimeSlices();
  let now = 0;
  const step = (commitMs: number, claimMs: number): boolean => {
    slices.noteClaim(claimMs);
    slices.offer("t", now, null);
    now += commitMs;
    slices.begin("t", now);
    const isKept = slices.keep("r", "t", now);
    slices.end("t");
    slices.release("r");
    return isKept;
  };
  expect([step(40, 20), step(40, 20)]).toEqual([true, true]);
  for (let times = 0; times < 30; times += 1) step(20, 2);
  expect(step(20, 2)).toBe(false);
  for (let times = 0; times < 60; times += 1) step(3, 2);
  expect(step(3, 2)).toBe(true);
});
