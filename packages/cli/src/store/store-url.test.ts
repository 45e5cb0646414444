import { expect, test } from "vitest";
import { chooseStore, storeExists } from "./store-url.ts";

const cwd = "/home/me/here";

test.each([
  [
    "the one of the working directory by default",
    {},
    {},
    { url: "sqlite:/home/me/here/.braid/braid.db", isDefault: true },
  ],
  ["the variable's", {}, { BRAID_STORE: "sqlite:x.db" }, { url: "sqlite:/home/me/here/x.db", isDefault: false }],
  [
    "the default where the variable is empty",
    {},
    { BRAID_STORE: "" },
    { url: "sqlite:/home/me/here/.braid/braid.db", isDefault: true },
  ],
  [
    "the flag's before the variable's",
    { store: "sqlite:/y.db" },
    { BRAID_STORE: "x" },
    { url: "sqlite:/y.db", isDefault: false },
  ],
  ["a bare path's file", { store: "../y.db" }, {}, { url: "sqlite:/home/me/y.db", isDefault: false }],
  ["a path with two slashes", { store: "sqlite:///y.db" }, {}, { url: "sqlite:/y.db", isDefault: false }],
  ["any other URL as it is", { store: "postgres://u:p@h/db" }, {}, { url: "postgres://u:p@h/db", isDefault: false }],
  ["memory with --ephemeral", { ephemeral: true }, { BRAID_STORE: "x" }, { url: "memory:", isDefault: false }],
] as const)("the store is %s", (...[, options, env, choice]) => {
  expect(chooseStore({ env, cwd }, options)).toEqual(choice);
});

test("a file that is not there holds no runs, nor does memory", () => {
  expect(storeExists({ url: "sqlite:/nowhere/at/all.db", isDefault: true })).toBe(false);
  expect(storeExists({ url: "memory:", isDefault: false })).toBe(false);
});
