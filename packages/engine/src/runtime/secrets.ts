import { readFile } from "node:fs/promises";
import { createMasker } from "../observe/mask.ts";
import type { Masker } from "../observe/mask.ts";
import type { PlanInfo } from "./plan-info.ts";

/** Secrets of one plan as an attempt sees them. */
export interface SecretValues {
  /** By name; a secret that is not there is missing, and an expression that names it fails. */
  readonly values: Readonly<Record<string, string>>;
  readonly masker: Masker;
}

const NOTHING: SecretValues = { values: {}, masker: createMasker([]) };

/**
 * Reads secrets where the step runs: from variables and files of this machine, for each attempt anew, so that a secret
 * that is changed is changed at once. They are never stored.
 */
export class SecretReader {
  readonly #env: Readonly<Record<string, string | undefined>>;
  /** The masker of a plan's latest values: making one takes longer than an attempt of a small step. */
  readonly #maskers = new WeakMap<PlanInfo, { readonly text: string; readonly values: SecretValues }>();

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** The plan's secrets; without any it answers at once. */
  read(info: PlanInfo): SecretValues | Promise<SecretValues> {
    const declared = info.plan.host.secrets;
    for (const _ in declared) return this.#read(info, Object.entries(declared));
    return NOTHING;
  }

  async #read(
    info: PlanInfo,
    declared: readonly (readonly [string, { env: string } | { file: string }])[],
  ): Promise<SecretValues> {
    const values: Record<string, string> = {};
    for (const [name, place] of declared) {
      const value = "env" in place ? this.#env[place.env] : await readSecretFile(place.file);
      if (value !== undefined) values[name] = value;
    }
    const text = JSON.stringify(values);
    const known = this.#maskers.get(info);
    if (known?.text === text) return known.values;
    const made = { values, masker: createMasker(Object.values(values)) };
    this.#maskers.set(info, { text, values: made });
    return made;
  }
}

/** A file that cannot be read is a secret that is not there: the message of what names it says so. */
async function readSecretFile(path: string): Promise<string | undefined> {
  try {
    // Editors and `echo` end a file with a line break that is no part of the secret.
    return (await readFile(path, "utf8")).replace(/\r?\n$/, "");
  } catch {
    return undefined;
  }
}
