-- user_version 2

CREATE TABLE workflows (
  name text not null,
  version integer not null,
  hash text not null,
  definition text not null,
  plan text not null,
  kernel_version integer not null,
  created_at integer not null,
  primary key (name, version),
  constraint one_version_for_each_plan unique (name, hash),
  constraint versions_count_from_one check (version >= 1)
) strict;

CREATE TABLE runs (
  id text not null primary key,
  workflow text not null,
  workflow_version integer not null,
  priority integer not null,
  idempotency_key text,
  parent_run_id text,
  parent_step integer,
  parent_task integer,
  parent_attempt integer,
  created_at integer not null,

  version integer not null,
  last_commit_id text not null,
  last_commit_version integer not null,
  last_cancels text,
  due_at integer,

  status text not null,
  phase text not null,
  epoch integer not null,
  trace_seq integer not null,
  settle_seq integer not null,
  last_at integer not null,
  queued_at integer not null,
  started_at integer,
  finished_at integer,
  paused_at integer,
  cancel_count integer not null,
  wake_at integer,
  timeout_at integer,
  rate_at integer,
  rate_tat real not null,
  stop text not null,
  stop_cause text,
  remaining integer not null,
  counted_failures integer not null,
  tolerated_failures integer not null,
  completed_steps integer not null,
  failed_steps integer not null,
  skipped_steps integer not null,
  canceled_steps integer not null,
  max_concurrent integer,
  timeout_ms integer,
  mode text,
  ranks_id text,
  error text,
  failures text not null, run_group text, group_place integer
  constraint only_a_run_in_a_group_has_a_place check ((run_group is null) = (group_place is null)),

  foreign key (workflow, workflow_version) references workflows (name, version),
  constraint run_has_a_known_status
    check (status = 'queued' or status = 'running' or status = 'paused' or status = 'completed' or status = 'failed' or status = 'canceled'),
  constraint run_has_a_known_phase check (phase = 'main' or phase = 'hooks' or phase = 'output' or phase = 'finally' or phase = 'done'),
  constraint only_a_run_that_has_ended_is_finished
    check ((status = 'completed' or status = 'failed' or status = 'canceled') = (finished_at is not null)),
  constraint paused_run_knows_since_when check (status <> 'paused' or paused_at is not null),
  constraint version_never_goes_back check (version >= last_commit_version and last_commit_version >= 1),
  constraint a_parent_is_a_whole_attempt check (
    (parent_run_id is null) = (parent_step is null)
    and (parent_run_id is null) = (parent_task is null)
    and (parent_run_id is null) = (parent_attempt is null)
  ),
  constraint run_counters_are_never_negative check (
    min(trace_seq, settle_seq, cancel_count, remaining, counted_failures, tolerated_failures) >= 0
    and min(completed_steps, failed_steps, skipped_steps, canceled_steps) >= 0
    and epoch >= 1
  )
) strict, without rowid;

CREATE UNIQUE INDEX runs_by_key on runs (workflow, idempotency_key) where idempotency_key is not null;

CREATE INDEX runs_by_workflow on runs (workflow, id);

CREATE INDEX runs_by_parent on runs (parent_run_id) where parent_run_id is not null;

CREATE INDEX runs_due on runs (due_at) where due_at is not null;

CREATE TABLE run_payloads (
  run_id text not null primary key references runs (id) on delete cascade,
  input text not null,
  meta text not null,
  output text
) strict, without rowid;

CREATE TABLE steps (
  run_id text not null references runs (id) on delete cascade,
  step_index integer not null,
  task_index integer not null,

  version integer not null,
  status text not null,
  skip_reason text,
  stop_cause text,
  error text,
  satisfied integer not null,
  dead integer not null,
  neutral integer not null,
  cut integer not null,
  fired_seq integer not null,
  settled_seq integer not null,
  is_evaluating integer not null,
  triggered_by text,
  is_cut integer not null,
  active_ports text,
  failure text not null,
  reached_end integer not null,
  attempt integer not null,
  attempts_used integer not null,
  lost integer not null,
  resets integer not null,
  timer text,
  timer_at integer,
  deadline_at integer,
  sleep_ms integer,
  timeout_ms integer,
  deadline_ms integer,
  signal text,
  stop text not null,
  remaining integer not null,
  counted_failures integer not null,
  rate_at integer,
  rate_tat real not null,
  item_count integer,
  next_item integer not null,
  completed_items integer not null,
  failed_items integer not null,
  skipped_items integer not null,
  canceled_items integer not null,
  ready_at integer,
  started_at integer,
  finished_at integer,

  dispatch text,
  dispatch_attempt integer,
  queue text,
  handler text,
  priority integer,
  queued_at integer,
  worker text,
  lease_token text,
  lease_until integer,
  claimed_at integer,
  stop_asked text,

  output text,
  patch text,
  child_input text,
  progress text, limit_key text,

  primary key (run_id, step_index, task_index),
  constraint task_is_an_item_or_the_step_itself check (step_index >= 0 and task_index >= -1),
  constraint row_has_a_known_status check (status = 'queued' or status = 'completed' or status = 'running' or status = 'ready' or status = 'waiting' or status = 'pending' or status = 'skipped' or status = 'failed' or status = 'canceled'),
  constraint only_a_skipped_row_has_a_skip_reason check ((status = 'skipped') = (skip_reason is not null)),
  constraint canceled_row_knows_its_cause check (status <> 'canceled' or stop_cause is not null),
  constraint timer_has_an_instant check ((timer is null) = (timer_at is null)),
  constraint step_counters_are_never_negative check (
    min(satisfied, dead, neutral, cut, fired_seq, settled_seq) >= 0
    and min(attempt, attempts_used, lost, resets, remaining, counted_failures) >= 0
    and min(next_item, completed_items, failed_items, skipped_items, canceled_items) >= 0
  ),
  constraint attempts_used_were_started check (attempts_used <= attempt),
  constraint attempt_is_open_in_a_known_way check (dispatch = 'queued' or dispatch = 'leased' or dispatch = 'withdrawn' or dispatch = 'lost'),
  constraint open_attempt_names_its_work check (
    dispatch is null
    or (dispatch_attempt >= 1 and queue is not null and handler is not null and priority is not null
        and queued_at is not null)
  ),
  constraint leased_attempt_has_an_owner check (
    dispatch is not 'leased' or (worker is not null and lease_token is not null and claimed_at is not null)
  ),
  constraint only_leased_and_lost_attempts_have_an_end check (
    (dispatch is not null and (dispatch = 'leased' or dispatch = 'lost')) = (lease_until is not null)
  ),
  constraint only_a_leased_attempt_is_asked_to_stop check (stop_asked is null or dispatch is 'leased')
) strict, without rowid;

CREATE INDEX steps_leased on steps (lease_until) where lease_until is not null;

CREATE TABLE step_items (
  run_id text not null references runs (id) on delete cascade,
  step_index integer not null,
  task_index integer not null,
  items text not null,
  primary key (run_id, step_index, task_index)
) strict, without rowid;

CREATE TABLE trace_events (
  run_id text not null references runs (id) on delete cascade,
  first_seq integer not null,
  last_seq integer not null,
  at integer not null,
  events text not null,
  primary key (run_id, first_seq),
  constraint trace_row_is_not_empty check (first_seq >= 1 and last_seq >= first_seq)
) strict, without rowid;

CREATE TABLE signals (
  seq integer primary key,
  run_id text not null references runs (id) on delete cascade,
  id text not null,
  name text not null,
  verdict text not null,
  payload text not null,
  accepted_at integer not null,
  used_at integer,
  notices integer not null,
  notice_at integer,
  constraint a_signal_is_kept_once unique (run_id, id),
  constraint signal_has_a_known_verdict check (verdict in ('approved', 'rejected', 'signal')),
  constraint only_an_unused_signal_is_noticed check (used_at is null or notice_at is null)
) strict;

CREATE INDEX signals_to_notice on signals (notice_at) where notice_at is not null;

CREATE TABLE logs (
  id integer primary key,
  run_id text not null references runs (id) on delete cascade,
  step_index integer not null,
  task_index integer not null,
  attempt integer not null,
  at integer not null,
  stream text not null,
  text text not null,
  constraint line_came_from_a_known_stream check (stream in ('stdout', 'stderr', 'log'))
) strict;

CREATE INDEX logs_by_run on logs (run_id);

CREATE TABLE workers (
  id text not null primary key,
  host text not null,
  pid integer not null,
  started_at integer not null,
  name text not null,
  queues text not null,
  seen_at integer not null
, resources text not null default '{}') strict, without rowid;

CREATE TABLE ranks (
  id text not null primary key,
  ranks text not null
) strict;

CREATE VIEW v_runs as
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
  strftime('%Y-%m-%dT%H:%M:%fZ', r.created_at / 1000.0, 'unixepoch') as created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.started_at / 1000.0, 'unixepoch') as started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.finished_at / 1000.0, 'unixepoch') as finished_at
from runs r
join workflows w on w.name = r.workflow and w.version = r.workflow_version
join run_payloads p on p.run_id = r.id;

CREATE VIEW v_step_states as
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
  strftime('%Y-%m-%dT%H:%M:%fZ', t.ready_at / 1000.0, 'unixepoch') as ready_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', t.started_at / 1000.0, 'unixepoch') as started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', t.finished_at / 1000.0, 'unixepoch') as finished_at
from runs r
join workflows w on w.name = r.workflow and w.version = r.workflow_version
join json_each(w.plan, '$.steps') s
left join steps t on t.run_id = r.id and t.step_index = cast(s.key as integer) and t.task_index = -1
where s.value ->> 'hidden' = 0;

CREATE VIEW v_step_tasks as
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
  strftime('%Y-%m-%dT%H:%M:%fZ', t.queued_at / 1000.0, 'unixepoch') as queued_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', t.started_at / 1000.0, 'unixepoch') as started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', t.finished_at / 1000.0, 'unixepoch') as finished_at
from runs r
join workflows w on w.name = r.workflow and w.version = r.workflow_version
join json_each(w.plan, '$.steps') s
left join steps t on t.run_id = r.id and t.step_index = cast(s.key as integer)
where s.value ->> 'hidden' = 0
  and s.value ->> 'kind' not in ('block', 'phase', 'pool')
  and (s.value ->> 'isMap' = 0 or t.task_index >= 0);

CREATE VIEW v_step_dependencies as
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

CREATE INDEX steps_queued on steps (queue, priority desc, queued_at) where dispatch = 'queued' and limit_key is null;

CREATE INDEX steps_parked on steps (queue, limit_key, priority desc, queued_at)
  where dispatch = 'queued' and limit_key is not null;

CREATE TABLE limit_slots (
  name text not null,
  run_id text not null references runs (id) on delete cascade,
  step_index integer not null,
  task_index integer not null,
  lease_token text not null,
  primary key (name, run_id, step_index, task_index)
) strict, without rowid;

CREATE INDEX limit_slots_by_run on limit_slots (run_id);

CREATE TABLE limits (
  name text not null primary key,
  tat real not null
) strict, without rowid;

CREATE UNIQUE INDEX runs_by_group on runs (workflow, run_group, group_place) where run_group is not null;

CREATE INDEX runs_open_by_group on runs (workflow, run_group) where run_group is not null and finished_at is null;
