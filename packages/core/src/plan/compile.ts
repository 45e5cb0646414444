import type { Compiled, Locate } from "../definition/front-end.ts";
import type { Definition } from "../definition/model.ts";
import { startReading } from "../definition/reading.ts";
import type { Reading } from "../definition/reading.ts";
import { lowerAction } from "./action.ts";
import { assemble } from "./assemble.ts";
import { checkErrorReads, checkSettings } from "./checks.ts";
import { warnOfConcurrentWrites } from "./context-writes.ts";
import { reportCycles } from "./cycle.ts";
import { addExplicitEdges } from "./dependencies.ts";
import type { DraftEdge, DraftStep } from "./draft.ts";
import { EdgeBook, sortEdges } from "./edge-book.ts";
import { checkHostFeatures } from "./host-features.ts";
import type { HostFeature } from "./host-features.ts";
import { inferEdges } from "./inference.ts";
import { checkJoins, groupByTarget, warnOfUnreachable } from "./joins.ts";
import { MAX_EDGES } from "./limits.ts";
import { StepNames, checkIds } from "./names.ts";
import { outline } from "./outline.ts";
import { collectReads } from "./references.ts";
import { checkTypes } from "./step-types.ts";
import { buildTimeline, isCyclic } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

export interface CompileOptions {
  /** Names of the registered step types; null (the default) leaves types unchecked, for a host that does not know them. */
  readonly types?: readonly string[] | null;
  /** What the host acts on beside the graph; null (the default) leaves it unchecked. */
  readonly features?: readonly HostFeature[] | null;
  /** Turns JSON pointers into places of the text that the definition came from. */
  readonly locate?: Locate;
}

/**
 * Turns a definition into the plan that the kernel runs. All that is wrong is reported at once; with an error among it
 * there is no plan. Linear in steps and edges; what several references need beyond that is in `reach.ts`.
 *
 * @example
 * const { plan, diagnostics } = compile(definition, { types: ["http"] });
 */
export function compile(definition: Definition, options: CompileOptions = {}): Compiled {
  const report = startReading(options.locate);
  const plan = compilePlan(definition, options, report);
  return { plan, diagnostics: report.finish() };
}

function compilePlan(definition: Definition, options: CompileOptions, report: Reading): Compiled["plan"] {
  const drafts = outline(definition, report);
  if (drafts === null) return null;
  const { steps, orderEdges } = drafts;
  checkIds(steps, report);
  checkSettings(definition, steps, report);
  checkTypes(steps, { definition, registered: options.types ?? null }, report);
  checkHostFeatures(steps, { definition, features: options.features ?? null }, report);

  // Counted before they are made: a definition beyond the limit shall not cost the memory either.
  const written = steps.reduce((sum, step) => sum + (step.definition?.dependsOn?.length ?? 0), orderEdges.length);
  if (isBeyondLimit(written, definition, report)) return null;
  const names = new StepNames(steps);
  const book = new EdgeBook(steps.length);
  addExplicitEdges(steps, names, { book, report });
  // Where `mode: sequential` meets a `dependsOn`, what the author wrote says more than the order.
  for (const edge of orderEdges) if (book.between(edge.from, edge.to) === undefined) book.add(edge);
  const reads = collectReads(definition, steps, { names, report });
  const inferred = inferEdges(reads.steps, { book, report, timeline: () => courseOf(steps, book.edges) });
  for (const edge of inferred) book.add(edge);
  if (isBeyondLimit(book.edges.length, definition, report)) return null;

  const edges = sortEdges(book.edges);
  const timeline = courseOf(steps, edges);
  checkCourse({ steps, edges, timeline }, report);
  const incoming = groupByTarget(edges, steps.length);
  checkJoins(steps, incoming, report);
  checkErrorReads(reads, incoming, report);
  if (!isCyclic(timeline)) {
    warnOfUnreachable({ steps, incoming }, timeline, report);
    warnOfConcurrentWrites(steps, timeline, report);
  }

  const actions = steps.map((step) => step.definition && lowerAction(step.definition, definition, report));
  if (report.hasErrors()) return null;
  return assemble({ definition, outline: drafts, edges, reads, actions, timeline });
}

function isBeyondLimit(edges: number, definition: Definition, report: Reading): boolean {
  if (edges <= MAX_EDGES) return false;
  const message = `The workflow has ${edges} edges; ${MAX_EDGES} is the most.`;
  report.error({ code: "limit_exceeded", message, path: definition.at });
  return true;
}

type Pairs = readonly (readonly [handler: number, group: number])[];

function courseOf(steps: readonly DraftStep[], edges: readonly DraftEdge[], handlers: Pairs = []): Timeline {
  return buildTimeline({
    size: steps.length,
    ownerOf: (step) => steps[step]!.list.owner?.index ?? -1,
    isContainer: (step) => steps[step]!.body !== null,
    edges,
    handlers,
  });
}

/**
 * Reports cycles. A group is not over before each of its failures is decided, so where a `failure` edge leaves one, its
 * end waits for the handler: one that in turn needs something behind the group would wait for ever.
 */
function checkCourse(
  course: { readonly steps: readonly DraftStep[]; readonly edges: readonly DraftEdge[]; readonly timeline: Timeline },
  report: Reading,
): void {
  const { steps, edges, timeline } = course;
  const handlers: (readonly [number, number])[] = [];
  for (const { from, to, on } of edges) {
    const group = steps[from]!.list.owner;
    if (on === "failure" && group !== null && steps[to]!.list.owner !== group) handlers.push([to, group.index]);
  }
  const decided = handlers.length === 0 ? timeline : courseOf(steps, edges, handlers);
  reportCycles({ timeline: decided, steps, edges }, report);
}
