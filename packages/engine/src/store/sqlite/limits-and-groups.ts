/**
 * The second migration: limits over runs, resources of workers, groups of runs.
 *
 * A parked task is a queued row with a `limit_key` (`store/limits.ts`), apart from the others in an index of its own: the
 * claims of tasks without limits neither read nor skip it.
 *
 * `limit_slots` has a row for each name of each parked task that was taken. Its place is in use as long as the lease that it
 * names is live, so whatever ends the lease frees the place in the same moment, and closing an attempt costs nothing more than
 * before (a trigger that deletes the row made every commit a tenth slower). The next claim that takes a task of the name clears
 * away what is not live any more.
 */
export const limitsAndGroups = `
alter table steps add column limit_key text;

drop index steps_queued;
create index steps_queued on steps (queue, priority desc, queued_at) where dispatch = 'queued' and limit_key is null;
create index steps_parked on steps (queue, limit_key, priority desc, queued_at)
  where dispatch = 'queued' and limit_key is not null;

create table limit_slots (
  name text not null,
  run_id text not null references runs (id) on delete cascade,
  step_index integer not null,
  task_index integer not null,
  lease_token text not null,
  primary key (name, run_id, step_index, task_index)
) strict, without rowid;

create index limit_slots_by_run on limit_slots (run_id);

create table limits (
  name text not null primary key,
  tat real not null
) strict, without rowid;

alter table runs add column run_group text;
alter table runs add column group_place integer
  constraint only_a_run_in_a_group_has_a_place check ((run_group is null) = (group_place is null));

create unique index runs_by_group on runs (workflow, run_group, group_place) where run_group is not null;
create index runs_open_by_group on runs (workflow, run_group) where run_group is not null and finished_at is null;

alter table workers add column resources text not null default '{}';
`;
