import { quote } from "./describe.ts";
import { isList, isObject, itemsOf } from "./fields.ts";
import type { Field, Fields } from "./fields.ts";
import { readDrawn } from "./graph-nodes.ts";
import type { Incoming, WrittenNode } from "./graph-nodes.ts";
import type { DependencyDefinition } from "./model.ts";
import { nearestName } from "./nearest.ts";
import type { Reading } from "./reading.ts";
import { readText, readWord, reportExpected } from "./values.ts";

interface Edge {
  readonly source: string;
  readonly target: string;
  /** Path in the source's output, and the port it leaves by. */
  readonly sourceHandle: string | undefined;
  /** Name of the target's input. */
  readonly targetHandle: string | undefined;
  readonly on: DependencyDefinition["on"];
  readonly at: string;
}

/** What arrives at each node, by its id. */
export function readEdges(
  reading: Reading,
  field: Field | undefined,
  nodes: readonly WrittenNode[],
): ReadonlyMap<string, Incoming> {
  if (field === undefined) return new Map();
  if (!isList(field.value)) {
    reportExpected(reading, field, {
      what: "a list of edges",
      hint: "For instance `edges: [{source: a, target: b}]`.",
    });
    return new Map();
  }
  const ids = new Set(nodes.map((node) => node.id));
  const items = itemsOf(field, field.value, "Edge");
  const edges = items.flatMap((item) => readEdge(reading, item, ids) ?? []);
  const byTarget = new Map<string, Edge[]>();
  for (const edge of edges) {
    const incoming = byTarget.get(edge.target);
    if (incoming === undefined) byTarget.set(edge.target, [edge]);
    else incoming.push(edge);
  }
  return new Map([...byTarget].map(([target, incoming]) => [target, gather(incoming)]));
}

function readEdge(reading: Reading, field: Field, ids: ReadonlySet<string>): Edge | undefined {
  const fields = readDrawn(reading, field, { section: "edge", dataSection: "edgeData" });
  if (fields === undefined) return undefined;
  const source = readEnd(reading, field, { end: fields.get("source"), key: "source", ids });
  const target = readEnd(reading, field, { end: fields.get("target"), key: "target", ids });
  const sourceHandle = readHandle(reading, fields.get("sourceHandle"));
  const targetHandle = readHandle(reading, fields.get("targetHandle"));
  const on = readKind(reading, field, fields);
  if (source === undefined || target === undefined) return undefined;
  return { source, target, sourceHandle, targetHandle, on, at: field.at };
}

interface EdgeEnd {
  readonly end: Field | undefined;
  readonly key: "source" | "target";
  readonly ids: ReadonlySet<string>;
}

function readEnd(reading: Reading, edge: Field, { end, key, ids }: EdgeEnd): string | undefined {
  if (end === undefined) {
    const message = `${edge.label} has no \`${key}\`.`;
    reading.error({ code: "missing_value", message, hint: "Name a node by its id.", path: edge.at });
    return undefined;
  }
  const id = readText(reading, end);
  if (id === undefined || ids.has(id)) return id;
  const nearest = nearestName(id, ids);
  const message = `${edge.label} names the node ${quote(id)}, which does not exist.`;
  const hint = nearest === undefined ? undefined : `Did you mean ${quote(nearest)}?`;
  reading.error({ code: "missing_dependency", message, hint, path: end.at });
  return undefined;
}

/** Editors write an edge without a handle as `null`. */
function readHandle(reading: Reading, field: Field | undefined): string | undefined {
  return field === undefined || field.value === null ? undefined : readText(reading, field);
}

const KINDS = ["success", "error", "failure", "settled"] as const;

/** Editors draw an edge by its `type`; a type that is a kind of edge is one all the same. */
function readKind(reading: Reading, edge: Field, fields: Fields): DependencyDefinition["on"] {
  const type = isObject(edge.value) ? edge.value["type"] : undefined;
  const drawnAs = KINDS.find((kind) => kind === type);
  const field = fields.get("edgeType");
  const kind = field === undefined ? drawnAs : readWord(reading, field, KINDS);
  return kind === undefined ? "success" : kind === "error" ? "failure" : kind;
}

/** Dependencies and inputs of one node. */
function gather(edges: readonly Edge[]): Incoming {
  const dependsOn = new Map<string, DependencyDefinition>();
  const arrivals = new Map<string, string[]>();
  for (const edge of edges) {
    const { source, target, targetHandle, on, at } = edge;
    const port = on === "success" ? edge.sourceHandle : undefined;
    // Two handles of one port are one dependency; two ports are two, because either may be inactive.
    const key = JSON.stringify([source, on, port]);
    const dependency = { ref: source, on, ...(port === undefined ? {} : { port }), at };
    if (!dependsOn.has(key)) dependsOn.set(key, dependency);
    if (targetHandle === undefined || source === target) continue;
    arrivals.set(targetHandle, [...(arrivals.get(targetHandle) ?? []), arrivalOf(edge)]);
  }
  const inputs = [...arrivals].map(([name, values]) => [name, `\${{ ${firstDefined(values)} }}`] as const);
  return { dependsOn: [...dependsOn.values()], inputs: new Map(inputs) };
}

/** Where several branches meet at one input, the first in the order of edges that brought something counts. */
function firstDefined(values: readonly string[]): string {
  const [first = "null", ...others] = values;
  return others.length === 0 ? first : `default(${first}, ${firstDefined(others)})`;
}

/** The expression for what an edge carries: an output, or an error along an error edge. */
function arrivalOf({ source, sourceHandle, on }: Edge): string {
  const path = sourceHandle === undefined ? [] : sourceHandle.split(".");
  const isError = on === "failure";
  const rest = isError && path[0] === "error" ? path.slice(1) : path;
  const step = NAME.test(source) ? `steps.${source}` : `steps['${source}']`;
  return [isError ? "error" : "output", ...rest].reduce(appendKey, step);
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** `a.b` where `b` is a plain name, `a[0]` for a position, `a['b c']` for anything else. */
function appendKey(expression: string, key: string): string {
  if (NAME.test(key)) return `${expression}.${key}`;
  if (/^(?:0|[1-9]\d{0,8})$/.test(key)) return `${expression}[${key}]`;
  return `${expression}['${key.replaceAll("'", "''")}']`;
}
