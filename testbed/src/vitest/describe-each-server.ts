import { describe, inject } from "vitest";
import type { TestServer } from "./test-server.ts";

/**
 * Declares the same claims for each server of the global set-up. What cannot be tested on this machine is skipped with its reason
 * in the title; in continuous integration the set-up has failed before.
 */
export function describeEachServer(claims: (server: TestServer) => void): void {
  for (const server of inject("postgresServers")) {
    const isSkipped = server.skipReason !== undefined;
    describe.skipIf(isSkipped)(`${server.name}${isSkipped ? ` (skipped: ${server.skipReason})` : ""}`, () => {
      claims(server);
    });
  }
}
