import { limitsAndGroups } from "./limits-and-groups.ts";
import { firstViews } from "./views.ts";

/**
 * The schema of the embedded store, as numbered migrations. Migration n brings a file from `user_version` n - 1 to n, is
 * applied in one transaction, and is never changed once released: a change of the schema is a new migration.
 *
 * Three things differ from what a reader may expect:
 * - `steps`, `trace_events` and `runs` are WITHOUT ROWID, because all their reads go by the primary key, and one tree a
 *   row is half the pages of two.
 * - The items of a map and the input of a run have tables of their own. SQLite writes a changed row whole, so a counter of
 *   the map or the version of the run must not drag a megabyte along.
 * - Run ids are repeated as text in every row: plain SQL stays readable, and ids of version 7 keep a run's rows together.
 */

/** Written into the header of every file, so that another program's database is never taken for a store. "BRAI" in ASCII. */
export const applicationId = 0x42524149;

/**
 * A list of known values as a chain of comparisons. SQLite builds a table for `in (…)` each time a row is checked, which
 * costs more than writing the row does.
 */
const oneOf = (column: string, values: readonly string[]): string =>
  `(${values.map((value) => `${column} = '${value}'`).join(" or ")})`;

/**
 * Life of an attempt, in `steps.dispatch`: null (no attempt is open) -> `queued` (waits for a worker) -> `leased` (a worker
 * has it) -> null (a commit closed it). A cancel turns `queued` into `withdrawn`, a sweep turns `leased` into `lost`; both
 * stay until a commit closes the attempt or queues the next one. `lease_until` of a lost attempt is the instant at which
 * sweeps report it again, in case the first reporter died.
 */
const stepStatuses = ["queued", "completed", "running", "ready", "waiting", "pending", "skipped", "failed", "canceled"];

const first = `
create table workflows (
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

create table runs (
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
  failures text not null,

  foreign key (workflow, workflow_version) references workflows (name, version),
  constraint run_has_a_known_status
    check ${oneOf("status", ["queued", "running", "paused", "completed", "failed", "canceled"])},
  constraint run_has_a_known_phase check ${oneOf("phase", ["main", "hooks", "output", "finally", "done"])},
  constraint only_a_run_that_has_ended_is_finished
    check (${oneOf("status", ["completed", "failed", "canceled"])} = (finished_at is not null)),
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

create unique index runs_by_key on runs (workflow, idempotency_key) where idempotency_key is not null;
create index runs_by_workflow on runs (workflow, id);
create index runs_by_parent on runs (parent_run_id) where parent_run_id is not null;
create index runs_due on runs (due_at) where due_at is not null;

create table run_payloads (
  run_id text not null primary key references runs (id) on delete cascade,
  input text not null,
  meta text not null,
  output text
) strict, without rowid;

create table steps (
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
  progress text,

  primary key (run_id, step_index, task_index),
  constraint task_is_an_item_or_the_step_itself check (step_index >= 0 and task_index >= -1),
  constraint row_has_a_known_status check ${oneOf("status", stepStatuses)},
  constraint only_a_skipped_row_has_a_skip_reason check ((status = 'skipped') = (skip_reason is not null)),
  constraint canceled_row_knows_its_cause check (status <> 'canceled' or stop_cause is not null),
  constraint timer_has_an_instant check ((timer is null) = (timer_at is null)),
  constraint step_counters_are_never_negative check (
    min(satisfied, dead, neutral, cut, fired_seq, settled_seq) >= 0
    and min(attempt, attempts_used, lost, resets, remaining, counted_failures) >= 0
    and min(next_item, completed_items, failed_items, skipped_items, canceled_items) >= 0
  ),
  constraint attempts_used_were_started check (attempts_used <= attempt),
  constraint attempt_is_open_in_a_known_way check ${oneOf("dispatch", ["queued", "leased", "withdrawn", "lost"])},
  constraint open_attempt_names_its_work check (
    dispatch is null
    or (dispatch_attempt >= 1 and queue is not null and handler is not null and priority is not null
        and queued_at is not null)
  ),
  constraint leased_attempt_has_an_owner check (
    dispatch is not 'leased' or (worker is not null and lease_token is not null and claimed_at is not null)
  ),
  constraint only_leased_and_lost_attempts_have_an_end check (
    (dispatch is not null and ${oneOf("dispatch", ["leased", "lost"])}) = (lease_until is not null)
  ),
  constraint only_a_leased_attempt_is_asked_to_stop check (stop_asked is null or dispatch is 'leased')
) strict, without rowid;

create index steps_queued on steps (queue, priority desc, queued_at) where dispatch = 'queued';
create index steps_leased on steps (lease_until) where lease_until is not null;

create table step_items (
  run_id text not null references runs (id) on delete cascade,
  step_index integer not null,
  task_index integer not null,
  items text not null,
  primary key (run_id, step_index, task_index)
) strict, without rowid;

create table trace_events (
  run_id text not null references runs (id) on delete cascade,
  first_seq integer not null,
  last_seq integer not null,
  at integer not null,
  events text not null,
  primary key (run_id, first_seq),
  constraint trace_row_is_not_empty check (first_seq >= 1 and last_seq >= first_seq)
) strict, without rowid;

create table signals (
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

create index signals_to_notice on signals (notice_at) where notice_at is not null;

create table logs (
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

create index logs_by_run on logs (run_id);

create table workers (
  id text not null primary key,
  host text not null,
  pid integer not null,
  started_at integer not null,
  name text not null,
  queues text not null,
  seen_at integer not null
) strict, without rowid;

create table ranks (
  id text not null primary key,
  ranks text not null
) strict;
`;

/** Migration n is `migrations[n - 1]`. */
export const migrations: readonly string[] = [first + firstViews, limitsAndGroups];

/** The `user_version` this build reads and writes. */
export const schemaVersion = migrations.length;
