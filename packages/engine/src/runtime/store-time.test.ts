import { expect, test } from "vitest";
import { VirtualTime } from "../testing/virtual-clock.ts";
import { StoreTime } from "./store-time.ts";

test("the store's time is known as exactly as the fastest answer allows, and goes on by itself", async () => {
  const time = new VirtualTime();
  const clock = time.process();
  const store = new StoreTime(clock);
  expect(store.isKnown).toBe(false);
  const ask = async (roundTripMs: number): Promise<void> => {
    const sent = clock.now();
    await time.run(roundTripMs / 2);
    const now = time.wall();
    await time.run(roundTripMs / 2);
    store.learn(now, sent);
  };
  await ask(100);
  expect(store.now() - time.wall()).toBe(50);
  await ask(4);
  await ask(200);
  expect(store.now() - time.wall()).toBe(2);
  await time.run(10_000);
  expect(store.now() - time.wall()).toBe(2);
  expect(store.until(store.now() + 7)).toBe(7);
});

test("a clock that was set is believed at once", async () => {
  const time = new VirtualTime();
  const clock = time.process();
  const store = new StoreTime(clock);
  store.learn(time.wall(), clock.now());
  await time.run(1_000);
  store.learn(time.wall() + 3_600_000, clock.now());
  expect(store.now() - time.wall()).toBe(3_600_000);
  store.learn(time.wall() - 60_000, clock.now());
  expect(store.now() - time.wall()).toBe(-60_000);
});
