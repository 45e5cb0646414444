import { edges } from "./edges.ts";
import { failures } from "./failure.ts";
import { joins } from "./joins.ts";
import { limits } from "./limits.ts";
import { scopes } from "./scopes.ts";
import { tasks } from "./tasks.ts";
import type { Chapter } from "./scenario.ts";

/** All chapters, in the order of the document. */
export const chapters: readonly Chapter[] = [edges, joins, failures, scopes, tasks, limits];
