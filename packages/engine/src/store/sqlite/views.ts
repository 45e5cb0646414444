const instant = (column: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;

/**
 * Every run in the shape of three tables and their dependencies, for whoever looks with plain SQL. A step that was never
 * touched has no row: its state is read from the plan, with none of its edges resolved. Part of the first migration.
 */
export const firstViews = `
create view v_runs as
select
  r.id as run_id,
  r.workflow,
  r.workflow_version,
  r.status,
  r.tolerated_failures,
  p.input,
  p.output,
  r.error,
  (select count(*) from json_each(w.plan, '$.steps') s where s.value ->> 'hidden' = 0) as total_steps,
  (select count(*) from json_each(w.plan, '$.steps') s where s.value ->> 'hidden' = 0)
    - r.completed_steps - r.failed_steps - r.skipped_steps - r.canceled_steps as remaining_steps,
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
from runs r
join workflows w on w.name = r.workflow and w.version = r.workflow_version
join run_payloads p on p.run_id = r.id;

create view v_step_states as
select
  r.id as run_id,
  s.value ->> 'id' as step,
  cast(s.key as integer) as step_index,
  case t.status when 'queued' then 'ready' else coalesce(t.status, 'pending') end as status,
  t.skip_reason,
  case when t.status = 'canceled' then t.stop_cause end as cause,
  json_array_length(s.value, '$.incoming')
    - coalesce(t.satisfied + t.dead + t.neutral + t.cut, 0) as remaining_deps,
  case
    when s.value ->> 'kind' in ('block', 'phase', 'pool') then null
    when s.value ->> 'isMap' then case when t.item_count is not null then t.remaining end
    when t.status in ('completed', 'failed', 'skipped', 'canceled') then 0
    else 1
  end as remaining_tasks,
  case
    when s.value ->> 'kind' in ('block', 'phase', 'pool') then null
    when s.value ->> 'isMap' then t.item_count
    else 1
  end as initial_tasks,
  coalesce(t.attempt, 0) as attempts,
  t.output,
  t.error,
  ${instant("t.ready_at")} as ready_at,
  ${instant("t.started_at")} as started_at,
  ${instant("t.finished_at")} as finished_at
from runs r
join workflows w on w.name = r.workflow and w.version = r.workflow_version
join json_each(w.plan, '$.steps') s
left join steps t on t.run_id = r.id and t.step_index = cast(s.key as integer) and t.task_index = -1
where s.value ->> 'hidden' = 0;

create view v_step_tasks as
select
  r.id as run_id,
  s.value ->> 'id' as step,
  cast(s.key as integer) as step_index,
  max(coalesce(t.task_index, 0), 0) as task_index,
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
from runs r
join workflows w on w.name = r.workflow and w.version = r.workflow_version
join json_each(w.plan, '$.steps') s
left join steps t on t.run_id = r.id and t.step_index = cast(s.key as integer)
where s.value ->> 'hidden' = 0
  and s.value ->> 'kind' not in ('block', 'phase', 'pool')
  and (s.value ->> 'isMap' = 0 or t.task_index >= 0);

create view v_step_dependencies as
select
  r.id as run_id,
  json_extract(w.plan, '$.steps[' || (e.value ->> 'to') || '].id') as step,
  json_extract(w.plan, '$.steps[' || (e.value ->> 'from') || '].id') as depends_on,
  e.value ->> 'on' as "on",
  e.value ->> 'port' as port,
  e.value ->> 'origin' as origin,
  case t.status when 'queued' then 'ready' else coalesce(t.status, 'pending') end as depends_on_status
from runs r
join workflows w on w.name = r.workflow and w.version = r.workflow_version
join json_each(w.plan, '$.edges') e
left join steps t on t.run_id = r.id and t.step_index = (e.value ->> 'from') and t.task_index = -1;
`;
