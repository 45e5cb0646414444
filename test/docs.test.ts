import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workbench } from "./support/braid.ts";
import { keyTable, sectionNames } from "./support/key-tables.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const handWritten = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md") && name !== "semantics.md");
const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...handWritten.map((name) => `docs/${name}`)];
const decisions = readdirSync(join(root, "docs/decisions")).map((name) => `docs/decisions/${name}`);

let bench: Workbench;
beforeAll(() => {
  bench = new Workbench();
});
afterAll(() => bench.remove());

interface Block {
  readonly document: string;
  readonly language: string;
  readonly text: string;
}

/** Fenced blocks of a language in the documents that people wrote. */
function blocks(language: string): readonly Block[] {
  return documents.flatMap((document) =>
    [...read(document).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map((match) => ({
      document,
      language,
      text: match[1]!,
    })),
  );
}

/** The formatter aligns the columns of tables. */
function withoutAlignment(text: string): string {
  return text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
}

/** Long options that a text names, each once. */
function optionsIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map((match) => match[0]))];
}

describe("docs/syntax.md", () => {
  const marked = /<!-- keys: (\w+) -->\n[\s\S]*?<!-- \/keys -->/g;
  const filled = (text: string): string =>
    text.replaceAll(
      marked,
      (_, section: string) => `<!-- keys: ${section} -->\n\n${keyTable(section)}\n\n<!-- /keys -->`,
    );
  test("has the keys, types, defaults and spellings of the definition's schema", () => {
    const file = join(root, "docs/syntax.md");
    // Set this to write the tables instead of checking them, then format.
    if (process.env["BRAID_WRITE_SYNTAX"] === "1") writeFileSync(file, filled(readFileSync(file, "utf8")));
    expect(withoutAlignment(read("docs/syntax.md"))).toBe(withoutAlignment(filled(read("docs/syntax.md"))));
  });

  test("has a table for every section", () => {
    const shown = new Set([...read("docs/syntax.md").matchAll(marked)].map((match) => match[1]!));
    // What an editor keeps in `data` has the keys of the node or edge.
    expect(sectionNames().filter((name) => !shown.has(name) && !name.endsWith("Data"))).toEqual([]);
  });
});

describe("the command line reference", () => {
  const ofRuns = ["list", "show", "logs", "events", "cancel", "pause", "resume", "retry", "approve", "reject"];
  const commands = ["run", "validate", "graph", "plan", "simulate", "prune", "init", "completion"]
    .concat(["worker", "migrate", "workflows apply", "workflows show"])
    .concat(ofRuns.map((name) => `runs ${name}`));

  test("names every option of every command, and no other", async () => {
    const text = read("docs/cli.md");
    const known = new Set(optionsIn((await bench.braid(["--help"])).stdout));
    for (const command of commands) {
      const { stdout } = await bench.braid([...command.split(" "), "--help"]);
      for (const option of optionsIn(stdout)) known.add(option);
      expect(text, command).toContain(`braid ${command}`);
    }
    expect(optionsIn(text).toSorted()).toEqual([...known].toSorted());
  });
});

describe("what the documents show", () => {
  test("every workflow in YAML or JSON is valid", async () => {
    const workflows = [...blocks("yaml"), ...blocks("json")].filter(({ text }) =>
      /^ {0,2}"?(?:steps|nodes)"?:/m.test(text),
    );
    expect(workflows.length).toBeGreaterThan(3);
    const files = workflows.map(({ text, language }, index) => bench.write(`shown-${index}.${language}`, text));
    const { code, stdout } = await bench.braid(["validate", ...files]);
    expect([code, stdout.match(/✗.*/g)]).toEqual([0, null]);
  });

  test("every piece of TypeScript stands in a file of examples, where it is type-checked", () => {
    const sources = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => read(`examples/${name}`));
    const missing = blocks("ts").filter(({ text }) => !sources.some((source) => source.includes(text)));
    expect(missing).toEqual([]);
  });

  test("every link to a file leads to one", () => {
    const broken = [...documents, ...decisions].flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
        .map((match) => match[1]!)
        .filter((target) => !existsSync(join(root, dirname(document), target)))
        .map((target) => `${document}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test("the README's taste of YAML and TypeScript are the examples `site`", () => {
    expect(blocks("yaml").find(({ document }) => document === "README.md")!.text).toBe(read("examples/site.yaml"));
    expect(blocks("ts").find(({ document }) => document === "README.md")!.text).toBe(read("examples/site.ts"));
  });
});
