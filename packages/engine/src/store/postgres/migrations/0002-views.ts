import type { Names } from "../names.ts";

const instant = (column: string): string => `to_timestamp(${column} / 1000.0)`;

/** A step that was never touched has no row. */
const stepStatus = "case t.status when 'queued' then 'ready' else coalesce(t.status, 'pending') end";

/** Kinds of steps that own a scope and have no task of their own. */
const scopeOwners = "('block', 'phase', 'pool')";

const runsView = ({ table }: Names): string => `
create view ${table("v_runs")} as
select
  r.id as run_id,
  r.workflow,
  r.workflow_version,
  r.status,
  r.tolerated_failures,
  p.input,
  p.output,
  r.error,
  s.total as total_steps,
  s.total - r.completed_steps - r.failed_steps - r.skipped_steps - r.canceled_steps as remaining_steps,
  r.completed_steps,
  r.failed_steps,
  r.skipped_steps,
  r.canceled_steps,
  r.priority,
  r.epoch,
  r.parent_run_id,
  ${instant("r.created_at")} as created_at,
  ${instant("r.started_at")} as started_at,
  ${instant("r.finished_at")} as finished_at
from ${table("runs")} r
join ${table("run_payloads")} p on p.run_id = r.id
cross join lateral (
  select count(*)::integer as total
  from ${table("workflows")} w
  cross join lateral json_to_recordset(w.plan -> 'steps') as s (hidden boolean)
  where w.name = r.workflow and w.version = r.workflow_version and not s.hidden
) s;`;

const stepStatesView = ({ table }: Names): string => `
create view ${table("v_step_states")} as
select
  r.id as run_id,
  s.id as step,
  s.index as step_index,
  ${stepStatus} as status,
  t.skip_reason,
  case when t.status = 'canceled' then t.stop_cause end as cause,
  json_array_length(s.incoming) - coalesce(t.satisfied + t.dead + t.neutral + t.cut, 0) as remaining_deps,
  case
    when s.kind in ${scopeOwners} then null
    when s."isMap" then case when t.item_count is not null then t.remaining end
    when t.status in ('completed', 'failed', 'skipped', 'canceled') then 0
    else 1
  end as remaining_tasks,
  case
    when s.kind in ${scopeOwners} then null
    when s."isMap" then t.item_count
    else 1
  end as initial_tasks,
  coalesce(t.attempt, 0) as attempts,
  t.output,
  t.error,
  ${instant("t.ready_at")} as ready_at,
  ${instant("t.started_at")} as started_at,
  ${instant("t.finished_at")} as finished_at
from ${table("runs")} r
join ${table("workflows")} w on w.name = r.workflow and w.version = r.workflow_version
cross join lateral json_to_recordset(w.plan -> 'steps')
  as s (index integer, id text, kind text, hidden boolean, "isMap" boolean, incoming json)
left join ${table("steps")} t on t.run_id = r.id and t.step_index = s.index and t.task_index = -1
where not s.hidden;`;

const stepTasksView = ({ table }: Names): string => `
create view ${table("v_step_tasks")} as
select
  r.id as run_id,
  s.id as step,
  s.index as step_index,
  greatest(coalesce(t.task_index, 0), 0) as task_index,
  case t.status when 'ready' then 'pending' else coalesce(t.status, 'pending') end as status,
  coalesce(t.attempt, 0) as attempts,
  t.worker as claimed_by,
  t.queue,
  t.handler,
  t.output,
  t.error,
  t.progress,
  ${instant("t.queued_at")} as queued_at,
  ${instant("t.started_at")} as started_at,
  ${instant("t.finished_at")} as finished_at
from ${table("runs")} r
join ${table("workflows")} w on w.name = r.workflow and w.version = r.workflow_version
cross join lateral json_to_recordset(w.plan -> 'steps')
  as s (index integer, id text, kind text, hidden boolean, "isMap" boolean)
left join ${table("steps")} t on t.run_id = r.id and t.step_index = s.index
where not s.hidden and s.kind not in ${scopeOwners} and (not s."isMap" or t.task_index >= 0);`;

const stepDependenciesView = ({ table }: Names): string => `
create view ${table("v_step_dependencies")} as
select
  r.id as run_id,
  e.step,
  e.depends_on,
  e."on",
  e.port,
  e.origin,
  ${stepStatus} as depends_on_status
from ${table("runs")} r
join ${table("workflows")} w on w.name = r.workflow and w.version = r.workflow_version
cross join lateral (
  select s.id as step, d.id as depends_on, e."from" as source, e."on", e.port, e.origin
  from json_to_recordset(w.plan -> 'edges') as e ("from" integer, "to" integer, "on" text, port text, origin text)
  join json_to_recordset(w.plan -> 'steps') as s (index integer, id text) on s.index = e."to"
  join json_to_recordset(w.plan -> 'steps') as d (index integer, id text) on d.index = e."from"
) e
left join ${table("steps")} t on t.run_id = r.id and t.step_index = e.source and t.task_index = -1;
`;

/**
 * Every run in the shape of three tables and their dependencies, for whoever looks with plain SQL. A step that was never
 * touched has no row: its state is read from the plan, with none of its edges resolved.
 *
 * A plan is read whole by one call, whose columns are those that are needed: taking a field at a time would parse the plan anew
 * for each step. The steps of a plan are counted by its name and version, so that a list of runs counts those of a version once.
 */
export const views = (names: Names): string =>
  [runsView, stepStatesView, stepTasksView, stepDependenciesView].map((view) => view(names)).join("");
