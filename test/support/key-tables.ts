import { readFileSync } from "node:fs";

/** The parts of the definition's JSON Schema that the tables of `docs/syntax.md` are made from. */
interface Node {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly description?: string;
  readonly doNotSuggest?: boolean;
  readonly properties?: { readonly [key: string]: Node };
  readonly required?: readonly string[];
}

const schema = JSON.parse(
  readFileSync(new URL("../../packages/core/schema/workflow.schema.json", import.meta.url), "utf8"),
) as { readonly $defs: { readonly [name: string]: Node } };

/** Shapes that are explained once, in words, above the tables. */
const NAMED: Readonly<Record<string, string>> = {
  duration: "duration",
  constantDuration: "duration",
  anyRetry: "number or [retry](#retry)",
  anyRateLimit: "number or [rate limit](#rate-limit)",
  rateLimit: "[rate limit](#rate-limit)",
  anyDependency: "[dependency](#dependency)",
  anyJoin: "text or [join](#join)",
  anyForEach: "list, template or [for each](#for-each)",
  forEach: "[for each](#for-each)",
  retry: "[retry](#retry)",
  cap: "integer above 0",
  variables: "mapping of texts",
  params: "mapping",
  command: "text or list",
  failureMode: "`fail_all`, `complete_running` or `continue`",
  step: "[step](#step)",
  block: "[block](#block)",
  parallelConfig: "[limits of a run](#limits-of-a-run)",
  runConcurrency: "[run concurrency](#run-concurrency)",
  stepConcurrency: "[key](#key)",
  defaults: "[defaults](#defaults)",
  input: "[input](#input)",
  secret: "[secret](#secret)",
  typeBinding: "[type](#type)",
  node: "[node](#node)",
  edge: "[edge](#edge)",
  group: "[group](#group)",
  runner: "text or mapping",
  approval: "[approval](#approval)",
  signal: "[signal](#signal)",
  sleep: "[sleep](#sleep)",
};

/** Names of all sections that have keys of their own. */
export function sectionNames(): readonly string[] {
  return Object.keys(schema.$defs).filter((name) => schema.$defs[name]?.properties !== undefined);
}

/** The table of one section: key, type, default, meaning and the other spellings that are accepted. */
export function keyTable(section: string): string {
  const definition = schema.$defs[section];
  if (definition?.properties === undefined) throw new Error(`the schema has no section \`${section}\``);
  const properties = Object.entries(definition.properties);
  const rows = properties
    .filter(([, node]) => node.doNotSuggest !== true)
    .map(([key, node]) => {
      const cells = [
        `\`${key}\`${definition.required?.includes(key) === true ? " (required)" : ""}`,
        typeText(node),
        defaultText(node),
        meaningText(node),
        spellings(properties, key),
      ];
      return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    });
  return ["| key | type | default | meaning | also written |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}

function described(node: Node): string {
  if (node.description !== undefined) return node.description;
  const target = node.$ref?.split("/").at(-1);
  return target === undefined ? "" : (schema.$defs[target]?.description ?? "");
}

const DEFAULT = /\s*Default ([^.]+)\.$/;

function defaultText(node: Node): string {
  return DEFAULT.exec(described(node))?.[1] ?? "";
}

function meaningText(node: Node): string {
  return described(node).replace(DEFAULT, "");
}

function typeText(node: Node): string {
  return [...new Set(typeNames(node))].join(" or ") || "any value";
}

function typeNames(node: Node): readonly string[] {
  const target = node.$ref?.split("/").at(-1);
  if (target !== undefined) return [NAMED[target] ?? target];
  if (node.anyOf !== undefined) return node.anyOf.flatMap(typeNames);
  if (node.const !== undefined) return [`\`${JSON.stringify(node.const)}\``];
  if (node.enum !== undefined)
    return [
      node.enum
        .filter(isCanonical)
        .map((value) => `\`${String(value)}\``)
        .join(", "),
    ];
  if (node.type === "array") return [`list${itemsText(node.items)}`];
  if (node.type === "object") return ["mapping"];
  if (node.type === "string") return [node.pattern === "\\$\\{\\{" ? "template" : "text"];
  return node.type === undefined ? [] : [node.type === "null" ? "nothing" : node.type];
}

function itemsText(items: Node | undefined): string {
  const names = items === undefined ? "" : [...new Set(typeNames(items))].join(" or ");
  return names === "" ? "" : ` of ${names}`;
}

/** `skip_branch` beside `skipBranch` is another spelling, not another value; `fail_all` is the word itself. */
function isCanonical(value: unknown, _: number, all: readonly unknown[]): boolean {
  if (typeof value !== "string" || !value.includes("_")) return true;
  return !all.includes(value.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()));
}

function spellings(properties: readonly (readonly [string, Node])[], key: string): string {
  return properties
    .filter(([word, node]) => node.doNotSuggest === true && meansKey(node, key) && !word.includes("_"))
    .map(([word, node]) => `\`${word}\`${unitOf(node, key)}`)
    .join(", ");
}

const meansKey = (node: Node, key: string): boolean => described(node).includes(`\`${key}\``);

/** What a spelling says beyond the key: `timeoutMs` is `timeout` in milliseconds. */
function unitOf(node: Node, key: string): string {
  const rest = described(node)
    .replace(`Another word for \`${key}\``, "")
    .replace(`\`${key}\``, "")
    .replace(/\.$/, "")
    .trim();
  return rest === "" ? "" : ` (${rest})`;
}
