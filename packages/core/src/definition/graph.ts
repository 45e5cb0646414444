import { readFields } from "./fields.ts";
import type { Field, Fields } from "./fields.ts";
import { membersOf } from "./fields.ts";
import { readEdges } from "./graph-edges.ts";
import { finishNode, readNodes } from "./graph-nodes.ts";
import { ANY_INPUTS } from "./inputs.ts";
import { readCap, readRateLimit } from "./limits.ts";
import type { Definition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { readObject } from "./values.ts";
import { readFrame, readInputsOr } from "./workflow.ts";
import { withoutUndefined } from "./without-undefined.ts";

/** Reads the form with nodes and edges, which is a list of steps whose dependencies are written beside it. */
export function readGraph(reading: Reading, field: Field, defaultName: string): Definition | undefined {
  const fields = readFields(reading, field, "graph");
  if (fields === undefined) return undefined;
  const frame = readFrame(reading, fields, defaultName);
  const nodes = readNodes(reading, fields.get("nodes"));
  const edges = readEdges(reading, fields.get("edges"), nodes);
  const boundTypes = new Set(Object.keys(frame.types));
  return {
    ...frame,
    inputs: readInputsOr(reading, fields, ANY_INPUTS),
    order: "graph",
    steps: nodes.map((node) =>
      finishNode(reading, node, { workflow: frame.name, incoming: edges.get(node.id), boundTypes }),
    ),
    pools: readPools(reading, fields),
  };
}

/** Caps and rates that the nodes with one `groupId` share. */
function readPools(reading: Reading, graph: Fields): Definition["pools"] {
  const groups = graph.get("groups");
  const object = groups && readObject(reading, groups);
  if (groups === undefined || object === undefined) return {};
  const pools: { [groupId: string]: Definition["pools"][string] } = {};
  for (const [groupId, member] of membersOf(groups, object)) {
    const fields = readFields(reading, member, "group");
    pools[groupId] = withoutUndefined({
      maxConcurrent: readCap(reading, fields?.get("maxConcurrent")),
      rateLimit: readRateLimit(reading, fields?.get("rateLimit")),
    });
  }
  return pools;
}
