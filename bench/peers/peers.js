// @ts-check

/** The peers in the order of the table; each is a file of `engines/`. */
export const PEERS = [
  "pgflow",
  "dbos",
  "openworkflow",
  "absurd",
  "bullmq-postgres",
  "bullmq-redis",
  "restate",
  "floor",
];
