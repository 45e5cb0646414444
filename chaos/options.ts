import { parseArgs } from "node:util";

export interface ChaosOptions {
  /** How long faults come. */
  readonly minutes: number;
  readonly seed: number;
  readonly workers: number;
  /** File for the figures, or null. */
  readonly json: string | null;
  /** Whether there are faults at all. */
  readonly hasFaults: boolean;
}

export const usage = "npm run chaos -- [--minutes n] [--seed n] [--workers n] [--json file] [--no-faults]";

/** Reads the arguments; throws with a sentence where they make no sense. */
export function readOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "1" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
      workers: { type: "string", default: "3" },
      json: { type: "string" },
      "no-faults": { type: "boolean", default: false },
    },
  });
  return {
    minutes: readNumber("--minutes", values.minutes, 0.1),
    seed: Math.floor(readNumber("--seed", values.seed, 0)),
    workers: Math.floor(readNumber("--workers", values.workers, 1)),
    json: values.json ?? null,
    hasFaults: !values["no-faults"],
  };
}

function readNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text !== "" && value >= least) return value;
  throw new Error(`\`${name}\` takes a number from ${least} on, not \`${text}\`.`);
}
