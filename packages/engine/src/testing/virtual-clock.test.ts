import { expect, test } from "vitest";
import { VirtualTime } from "./virtual-clock.ts";

test("timers fire in the order of their instants, and what they set fires in the same run", async () => {
  const time = new VirtualTime();
  const clock = time.process();
  const fired: string[] = [];
  clock.after(20, () => fired.push("b"));
  clock.after(10, () => {
    fired.push("a");
    clock.after(5, () => fired.push("a2"));
    clock.soon(() => fired.push("soon"));
  });
  clock.after(15, () => fired.push("never"))();
  await time.run(100);
  expect(fired).toEqual(["a", "soon", "a2", "b"]);
  expect(time.elapsed).toBe(100);
});

test("a process that stands still hears its timers late, and one that was killed never", async () => {
  const time = new VirtualTime();
  const [still, dead] = [time.process(), time.process()];
  const fired: string[] = [];
  still.after(10, () => fired.push(`still ${time.elapsed}`));
  dead.after(10, () => fired.push("dead"));
  still.pause(50);
  dead.kill();
  await time.run(100);
  expect(fired).toEqual(["still 50"]);
});
