import type { Names } from "../names.ts";

/**
 * The tables. Three things differ from what a reader may expect:
 * - Rows of the hot tables (`steps`, `trace_events`, `limit_slots`, `logs`) have no foreign key to their run: the check would cost as much
 *   as writing the row. Every writer holds the run's row; `prune` deletes a run with everything of it in one transaction.
 * - Input and output of a run, and the items of a map, are in tables of their own: PostgreSQL writes a changed row whole, and the
 *   run's row changes with every commit.
 * - Payloads are `json`, not `jsonb`: the text that was accepted comes back, with its keys in their order.
 *
 * Life of an attempt, in `steps.dispatch`: null (no attempt is open) -> `queued` (waits for a worker) -> `leased` (a worker has
 * it) -> null (a commit closed it). A cancel turns `queued` into `withdrawn`, a sweep turns `leased` into `lost`; both stay until
 * a commit closes the attempt or queues the next one. `lease_until` of a lost attempt is the instant at which sweeps report it
 * again, in case the first reporter died. A queued attempt with a `limit_key` is parked: it is claimed only if all that the key
 * names has room.
 *
 * A commit is known again by its id: the latest one stands in the run's row, others in their trace rows, and those that had no
 * events, the latest of them, in `quiet_commit_ids`, with a space around each.
 *
 * Constraints are named, and there are few of them: the server reads the text of each anew for every statement that writes the
 * table, which was a sixth of the time of a commit when there were twenty. Lists of known values are domains, which are read once
 * in a session.
 *
 * Columns stand in order of their alignment, so that no row holds padding.
 */
export const first = ({ schema }: Names): string => text.replaceAll("$schema", () => schema);

const text = `
create domain $schema.run_status as text
  constraint run_has_a_known_status check (value in ('queued', 'running', 'paused', 'completed', 'failed', 'canceled'));
create domain $schema.run_phase as text
  constraint run_has_a_known_phase check (value in ('main', 'hooks', 'output', 'finally', 'done'));
create domain $schema.step_status as text
  constraint row_has_a_known_status check (
    value in ('queued', 'completed', 'running', 'ready', 'waiting', 'pending', 'skipped', 'failed', 'canceled')
  );
create domain $schema.dispatch as text
  constraint attempt_is_open_in_a_known_way check (value in ('queued', 'leased', 'withdrawn', 'lost'));

create table $schema.workflows (
  version integer not null,
  kernel_version integer not null,
  created_at bigint not null,
  name text not null,
  hash text not null,
  definition json not null,
  plan json not null,
  primary key (name, version),
  constraint one_version_for_each_plan unique (name, hash),
  constraint versions_count_from_one check (version >= 1)
);

create table $schema.runs (
  id uuid not null primary key,
  version integer not null,
  workflow_version integer not null,
  priority integer not null,
  parent_step integer,
  parent_task integer,
  parent_attempt integer,
  epoch integer not null,
  trace_seq integer not null,
  settle_seq integer not null,
  cancel_count integer not null,
  remaining integer not null,
  counted_failures integer not null,
  tolerated_failures integer not null,
  completed_steps integer not null,
  failed_steps integer not null,
  skipped_steps integer not null,
  canceled_steps integer not null,
  max_concurrent integer,
  group_place integer,
  created_at bigint not null,
  due_at bigint,
  last_at bigint not null,
  queued_at bigint not null,
  started_at bigint,
  finished_at bigint,
  paused_at bigint,
  wake_at bigint,
  timeout_at bigint,
  rate_at bigint,
  timeout_ms bigint,
  rate_tat double precision not null,
  parent_run_id uuid,
  workflow text not null,
  run_group text,
  idempotency_key text,
  last_commit_id text not null,
  quiet_commit_ids text,
  last_cancels json,
  status $schema.run_status not null,
  phase $schema.run_phase not null,
  stop text not null,
  stop_cause text,
  mode text,
  ranks_id text,
  error json,
  failures json not null,

  foreign key (workflow, workflow_version) references $schema.workflows (name, version),
  constraint only_a_run_that_has_ended_is_finished
    check ((status in ('completed', 'failed', 'canceled')) = (finished_at is not null)),
  constraint paused_run_knows_since_when check (status <> 'paused' or paused_at is not null),
  constraint a_parent_is_a_whole_attempt check ((parent_run_id is null) = (parent_attempt is null)),
  constraint only_a_run_of_a_group_has_a_place check ((run_group is null) = (group_place is null)),
  constraint no_more_steps_settle_than_there_are check (remaining >= 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

create unique index runs_by_key on $schema.runs (workflow, idempotency_key) where idempotency_key is not null;
create index runs_by_workflow on $schema.runs (workflow, id);
create index runs_by_status on $schema.runs (status, id);
create index runs_by_group on $schema.runs (workflow, run_group, group_place)
  where run_group is not null and finished_at is null;
create index runs_by_parent on $schema.runs (parent_run_id) where parent_run_id is not null;
create index runs_due on $schema.runs (due_at) where due_at is not null;

create table $schema.run_payloads (
  run_id uuid not null primary key,
  input json not null,
  meta json not null,
  output json
);

create table $schema.run_groups (
  workflow text not null,
  name text not null,
  last_place integer not null,
  primary key (workflow, name)
);

create table $schema.steps (
  run_id uuid not null,
  step_index integer not null,
  task_index integer not null,
  version integer not null,
  satisfied integer not null,
  dead integer not null,
  neutral integer not null,
  cut integer not null,
  fired_seq integer not null,
  settled_seq integer not null,
  attempt integer not null,
  attempts_used integer not null,
  lost integer not null,
  resets integer not null,
  remaining integer not null,
  counted_failures integer not null,
  next_item integer not null,
  completed_items integer not null,
  failed_items integer not null,
  skipped_items integer not null,
  canceled_items integer not null,
  item_count integer,
  dispatch_attempt integer,
  priority integer,
  ready_at bigint,
  started_at bigint,
  finished_at bigint,
  queued_at bigint,
  claimed_at bigint,
  lease_until bigint,
  timer_at bigint,
  deadline_at bigint,
  sleep_ms bigint,
  timeout_ms bigint,
  deadline_ms bigint,
  rate_at bigint,
  rate_tat double precision not null,
  is_evaluating boolean not null,
  is_cut boolean not null,
  reached_end boolean not null,
  status $schema.step_status not null,
  failure text not null,
  stop text not null,
  skip_reason text,
  stop_cause text,
  timer text,
  signal text,
  triggered_by json,
  active_ports json,
  error json,
  dispatch $schema.dispatch,
  queue text,
  handler text,
  worker text,
  lease_token text,
  stop_asked text,
  limit_key text,
  output json,
  patch json,
  child_input json,
  progress json,

  primary key (run_id, step_index, task_index),
  constraint only_a_skipped_row_has_a_skip_reason check ((status = 'skipped') = (skip_reason is not null)),
  constraint canceled_row_knows_its_cause check (status <> 'canceled' or stop_cause is not null),
  constraint timer_has_an_instant check ((timer is null) = (timer_at is null)),
  constraint no_more_members_settle_than_there_are check (remaining >= 0),
  constraint open_attempt_names_its_work check (dispatch is null or queue is not null),
  constraint leased_attempt_has_an_owner_and_an_end check (
    dispatch is distinct from 'leased' or (lease_token is not null and lease_until is not null)
  ),
  constraint only_an_open_attempt_has_an_end check (dispatch is not null or lease_until is null),
  constraint only_a_leased_attempt_is_asked_to_stop check (stop_asked is null or dispatch = 'leased')
) with (autovacuum_vacuum_scale_factor = 0.05);

create index steps_queued on $schema.steps (queue, priority desc, queued_at)
  where dispatch = 'queued' and limit_key is null;
create index steps_parked on $schema.steps (queue, limit_key, priority desc, queued_at)
  where dispatch = 'queued' and limit_key is not null;
create index steps_leased on $schema.steps (lease_until) where lease_until is not null;

create table $schema.step_items (
  step_index integer not null,
  task_index integer not null,
  run_id uuid not null,
  items json not null,
  primary key (run_id, step_index, task_index)
);

create table $schema.limits (
  name text not null primary key,
  rate_tat double precision not null
);

create table $schema.limit_slots (
  step_index integer not null,
  task_index integer not null,
  run_id uuid not null,
  name text not null,
  primary key (name, run_id, step_index, task_index)
);

create index limit_slots_by_task on $schema.limit_slots (run_id, step_index, task_index);

create table $schema.trace_events (
  first_seq integer not null,
  last_seq integer not null,
  at bigint not null,
  run_id uuid not null,
  commit_id text not null,
  events json not null,
  primary key (run_id, first_seq),
  constraint trace_row_is_not_empty check (first_seq >= 1 and last_seq >= first_seq)
);

create table $schema.signals (
  seq bigint generated always as identity primary key,
  accepted_at bigint not null,
  used_at bigint,
  notice_at bigint,
  notices integer not null,
  run_id uuid not null references $schema.runs (id) on delete cascade,
  id text not null,
  name text not null,
  verdict text not null,
  payload json not null,
  constraint a_signal_is_kept_once unique (run_id, id),
  constraint signal_has_a_known_verdict check (verdict in ('approved', 'rejected', 'signal')),
  constraint only_an_unused_signal_is_noticed check (used_at is null or notice_at is null)
);

create index signals_to_notice on $schema.signals (notice_at) where notice_at is not null;

create table $schema.logs (
  id bigint generated always as identity primary key,
  at bigint not null,
  step_index integer not null,
  task_index integer not null,
  attempt integer not null,
  run_id uuid not null,
  stream text not null,
  text text not null,
  constraint line_came_from_a_known_stream check (stream in ('stdout', 'stderr', 'log'))
);

create index logs_by_run on $schema.logs (run_id, id);

create table $schema.workers (
  started_at bigint not null,
  seen_at bigint not null,
  pid integer not null,
  oldest_schema integer not null,
  newest_schema integer not null,
  id text not null primary key,
  host text not null,
  name text not null,
  queues json not null,
  resources json not null
);

create table $schema.ranks (
  id text not null primary key,
  ranks json not null
);
`;
