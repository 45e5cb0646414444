import { expect, test } from "vitest";
import { PlaceMap } from "./place-map.ts";

interface Part {
  readonly step: number;
  readonly task: number;
  readonly name: string;
}

const part = (step: number, name: string, task = -1): Part => ({ step, task, name });

test("a later part takes the place of one about the same row, few or many", () => {
  for (const count of [3, 30]) {
    const map = new PlaceMap<Part>();
    for (let step = 0; step < count; step += 1) map.set(part(step, "first"));
    map.set(part(1, "second"));
    map.set(part(1, "item", 0));
    expect(map.all).toHaveLength(count + 1);
    expect([map.get(part(1, ""))?.name, map.get(part(1, "", 0))?.name]).toEqual(["second", "item"]);
    expect(map.all.findIndex(({ name }) => name === "second")).toBe(1);
    expect(map.get(part(count, ""))).toBeUndefined();
  }
});

test("a part that was deleted is not found, and those behind it are", () => {
  for (const count of [3, 30]) {
    const map = new PlaceMap<Part>();
    for (let step = 0; step < count; step += 1) map.set(part(step, `s${step}`));
    map.get(part(0, ""));
    map.delete(part(1, ""));
    map.delete(part(1, ""));
    map.set(part(count, "last"));
    expect(map.get(part(1, ""))).toBeUndefined();
    expect([map.get(part(2, ""))?.name, map.get(part(count, ""))?.name]).toEqual(["s2", "last"]);
    expect(map.all).toHaveLength(count);
  }
});
