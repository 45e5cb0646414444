export { describeEachServer } from "./describe-each-server.ts";
export type { TestServer } from "./test-server.ts";
