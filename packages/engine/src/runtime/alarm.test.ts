import { expect, test } from "vitest";
import { VirtualTime } from "../testing/virtual-clock.ts";
import { Alarm } from "./alarm.ts";
import { StoreTime } from "./store-time.ts";

function open() {
  const time = new VirtualTime();
  const clock = time.process();
  const store = new StoreTime(clock);
  store.learn(time.wall(), clock.now());
  const rung: string[] = [];
  const alarm = new Alarm(clock, store, (ids) => rung.push(`${time.elapsed}: ${ids.join(" ")}`));
  return { time, alarm, rung, at: (ms: number) => time.wall() + ms };
}

test("an alarm rings each id at its instant, those of one instant together", async () => {
  const { time, alarm, rung, at } = open();
  alarm.set("late", at(50));
  alarm.set("soon", at(10));
  alarm.set("too", at(10));
  await time.run(100);
  expect(rung).toEqual(["10: soon too", "50: late"]);
});

test("an alarm forgets the instant that an id had before", async () => {
  const { time, alarm, rung, at } = open();
  alarm.set("moved", at(10));
  alarm.set("moved", at(30));
  alarm.set("gone", at(20));
  alarm.set("gone", null);
  await time.run(100);
  expect(rung).toEqual(["30: moved"]);
});

test("an alarm reaches instants that no timer of the process could", async () => {
  const { time, alarm, rung, at } = open();
  const far = 2 ** 40;
  alarm.set("far", at(far));
  await time.run(far - 1);
  expect(rung).toEqual([]);
  await time.run(2);
  expect(rung).toHaveLength(1);
});
