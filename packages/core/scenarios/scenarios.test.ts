import { describe, expect, test } from "vitest";
import { Player } from "./play.ts";
import { planOf } from "./plan-of.ts";
import { chapters } from "./tables.ts";

for (const chapter of chapters) {
  describe(`Chapter: ${chapter.title}`, () => {
    for (const rule of chapter.rules) {
      describe(`Rule ${rule.id}`, () => {
        for (const scenario of rule.scenarios) {
          test(`${rule.id}: ${scenario.title}`, () => {
            const player = new Player(planOf(scenario), scenario);
            const played = scenario.play.map(([event]) => [event, ...player.play(event)]);
            expect(played).toEqual(scenario.play);
          });
        }
      });
    }
  });
}

test("every rule has a scenario and an id of its own", () => {
  const rules = chapters.flatMap((chapter) => chapter.rules);
  expect(rules.filter((rule) => rule.scenarios.length === 0)).toEqual([]);
  expect(new Set(rules.map((rule) => rule.id)).size).toBe(rules.length);
});
